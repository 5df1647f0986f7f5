/** What will change, before it does. */
import { useSignal } from '@preact/signals';
import { Modal } from '../parts/modal.tsx';
import type { Change } from './changes.ts';
import { settingsWords as t } from './settings-words.ts';

export interface ReviewDialogProps {
  readonly changes: readonly Change[];
  readonly save: () => Promise<void>;
  readonly closed: () => void;
}

export function ReviewDialog({ changes, save, closed }: ReviewDialogProps) {
  const isSaving = useSignal(false);
  const run = async () => {
    if (isSaving.value) return;
    isSaving.value = true;
    await save();
  };
  return (
    <Modal title={t('changesTitle')} closed={closed}>
      <ul class="changes">
        {changes.map((change) => (
          <li key={`${change.path} ${change.kind}`}>
            <ChangeLine {...change} />
          </li>
        ))}
      </ul>
      <div class="row">
        <button type="button" class="primary" aria-disabled={isSaving} onClick={() => void run()}>
          {isSaving.value ? t('saving') : t('save')}
        </button>
        <button type="button" onClick={closed}>
          {t('back')}
        </button>
      </div>
    </Modal>
  );
}

function ChangeLine({ path, kind, before, after, isSecret }: Change) {
  return (
    <>
      <code>{path}</code> <strong>{t(kind)}</strong>
      {isSecret && <span class="muted"> ({t('secretChange')})</span>}
      {before !== undefined && (
        <del>
          <span class="visually-hidden">{t('before')}: </span>
          {before}
        </del>
      )}
      {after !== undefined && (
        <ins>
          <span class="visually-hidden">{t('after')}: </span>
          {after}
        </ins>
      )}
    </>
  );
}
