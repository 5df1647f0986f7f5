/** Adopting a device: under which name, with which login, which of its pictures. */
import { useSignal } from '@preact/signals';
import { useId } from 'preact/hooks';
import type { Fleet } from '../model.ts';
import { failureWords } from '../parts/failure-words.ts';
import { Modal } from '../parts/modal.tsx';
import { Reason } from '../parts/reason.tsx';
import { hrefOf } from '../screen-route.ts';
import { type AdoptReply, adoptArguments, readAdoptReply } from './adopt-arguments.ts';
import { type DeviceRow, titleOf } from './device-rows.ts';
import { devicesWords as t } from './devices-words.ts';

export interface AdoptDialogProps {
  readonly fleet: Fleet;
  readonly row: DeviceRow;
  readonly closed: () => void;
}

export function AdoptDialog({ fleet, row, closed }: AdoptDialogProps) {
  const { gateway, device } = row;
  const wishes = useSignal({ name: '', username: '', password: '', profile: '' });
  const problem = useSignal<string | undefined>(undefined);
  const reply = useSignal<AdoptReply | undefined>(undefined);
  const isBusy = useSignal(false);
  const id = useId();
  const submit = async (event: Event) => {
    event.preventDefault();
    if (isBusy.value) return;
    const args = adoptArguments(device.id, wishes.value);
    problem.value = typeof args === 'string' ? t(args) : undefined;
    if (typeof args === 'string') return;
    isBusy.value = true;
    try {
      reply.value = readAdoptReply(await fleet.command(gateway, 'adopt', args));
      wishes.value = { ...wishes.value, password: '' };
    } catch (error) {
      problem.value = failureWords(error);
    } finally {
      isBusy.value = false;
    }
  };
  const set = (key: keyof typeof wishes.value, text: string) => {
    wishes.value = { ...wishes.value, [key]: text };
  };
  if (reply.value !== undefined) {
    const { adoptedAs, code, reason } = reply.value;
    return (
      <Modal title={t('adoptTitle', { name: titleOf(device) })} closed={closed}>
        <div class="stack">
          <p role="status">{t('done', { name: adoptedAs })}</p>
          {code !== undefined && reason !== undefined && <Reason code={code} reason={reason} />}
          <div class="row">
            <a
              class="button primary"
              href={hrefOf({ screen: 'camera', gateway, stream: adoptedAs })}
            >
              {t('show', { name: adoptedAs })}
            </a>
            <button type="button" onClick={closed}>
              {t('close')}
            </button>
          </div>
        </div>
      </Modal>
    );
  }
  return (
    <Modal title={t('adoptTitle', { name: titleOf(device) })} closed={closed}>
      <form class="form" autocomplete="off" onSubmit={(event) => void submit(event)}>
        <p class="muted">{t('adoptIntro')}</p>
        <div class="field">
          <label for={`${id}-name`}>{t('name')}</label>
          <input
            id={`${id}-name`}
            type="text"
            autocomplete="off"
            autocapitalize="none"
            spellcheck={false}
            aria-describedby={`${id}-name-hint ${id}-problem`}
            value={wishes.value.name}
            onInput={({ currentTarget }) => set('name', currentTarget.value)}
          />
          <span id={`${id}-name-hint`} class="hint">
            {t('nameHint')}
          </span>
        </div>
        <div class="field">
          <label for={`${id}-username`}>{t('username')}</label>
          <input
            id={`${id}-username`}
            type="text"
            autocomplete="off"
            autocapitalize="none"
            spellcheck={false}
            aria-describedby={`${id}-login-hint ${id}-problem`}
            value={wishes.value.username}
            onInput={({ currentTarget }) => set('username', currentTarget.value)}
          />
        </div>
        <div class="field">
          <label for={`${id}-password`}>{t('password')}</label>
          <input
            id={`${id}-password`}
            type="password"
            autocomplete="new-password"
            aria-describedby={`${id}-login-hint ${id}-problem`}
            value={wishes.value.password}
            onInput={({ currentTarget }) => set('password', currentTarget.value)}
          />
          <span id={`${id}-login-hint`} class="hint">
            {t('loginHint')}
          </span>
        </div>
        <div class="field">
          <label for={`${id}-profile`}>{t('profile')}</label>
          <select
            id={`${id}-profile`}
            value={wishes.value.profile}
            onChange={({ currentTarget }) => set('profile', currentTarget.value)}
          >
            <option value="">{t('profileDefault')}</option>
            <option value="main">{t('main')}</option>
            <option value="sub">{t('sub')}</option>
          </select>
        </div>
        <p id={`${id}-problem`} role="alert" class="error">
          {problem}
        </p>
        <div class="row">
          <button type="submit" class="primary" aria-disabled={isBusy}>
            {isBusy.value ? t('adopting') : t('adopt')}
          </button>
          <button type="button" onClick={closed}>
            {t('cancel')}
          </button>
        </div>
      </form>
    </Modal>
  );
}
