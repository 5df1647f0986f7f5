/** A camera whose address is known: the short form of a key in `streams`. */
import { useSignal } from '@preact/signals';
import type { TargetedInputEvent } from 'preact';
import { useId } from 'preact/hooks';
import type { Fleet } from '../model.ts';
import { failureWords } from '../parts/failure-words.ts';
import { Modal } from '../parts/modal.tsx';
import { hrefOf } from '../screen-route.ts';
import { wordsOf } from '../words.ts';

const t = wordsOf({
  en: {
    title: 'Add a camera',
    name: 'Name',
    nameHint: 'Lower-case letters, digits and hyphens: part of topics and addresses.',
    source: 'Address (URL)',
    sourceHint: 'rtsp://, rtmp://, http:// (FLV, MPEG-TS), udp://, tcp:// or onvif://host',
    username: 'User name',
    password: 'Password',
    loginHint: 'Left empty: the camera asks for none.',
    add: 'Add it',
    adding: 'Adding…',
    cancel: 'Cancel',
    nameWrong: 'Expected 1 to 48 lower-case letters, digits or hyphens as the name.',
    sourceWrong: 'Expected a URL such as rtsp://10.0.0.20/stream1.',
    added: '{name} is added.',
    show: 'Show the camera',
  },
  zh: {
    title: '添加摄像机',
    name: '名称',
    nameHint: '小写字母、数字和连字符，用于主题和地址。',
    source: '地址（URL）',
    sourceHint: 'rtsp://、rtmp://、http://（FLV、MPEG-TS）、udp://、tcp:// 或 onvif://主机',
    username: '用户名',
    password: '密码',
    loginHint: '留空表示摄像机不需要登录。',
    add: '添加',
    adding: '正在添加…',
    cancel: '取消',
    nameWrong: '名称应为 1 到 48 个小写字母、数字或连字符。',
    sourceWrong: '应为 URL，例如 rtsp://10.0.0.20/stream1。',
    added: '已添加 {name}。',
    show: '查看摄像机',
  },
});

export interface AddCameraProps {
  readonly fleet: Fleet;
  readonly gateway: string;
  readonly added: () => void;
}

export function AddCamera({ fleet, gateway, added }: AddCameraProps) {
  const isOpen = useSignal(false);
  const name = useSignal<string | undefined>(undefined);
  const done = (made: string) => {
    name.value = made;
    isOpen.value = false;
    added();
  };
  return (
    <>
      <div class="row">
        <button
          type="button"
          onClick={() => {
            isOpen.value = true;
          }}
        >
          + {t('title')}
        </button>
        <span role="status">
          {name.value !== undefined && (
            <>
              {t('added', { name: name.value })}{' '}
              <a href={hrefOf({ screen: 'camera', gateway, stream: name.value })}>{t('show')}</a>
            </>
          )}
        </span>
      </div>
      {isOpen.value && (
        <Modal
          title={t('title')}
          closed={() => {
            isOpen.value = false;
          }}
        >
          <CameraForm
            fleet={fleet}
            gateway={gateway}
            done={done}
            cancel={() => {
              isOpen.value = false;
            }}
          />
        </Modal>
      )}
    </>
  );
}

interface CameraFormProps {
  readonly fleet: Fleet;
  readonly gateway: string;
  readonly done: (name: string) => void;
  readonly cancel: () => void;
}

function CameraForm({ fleet, gateway, done, cancel }: CameraFormProps) {
  const values = useSignal({ name: '', source: '', username: '', password: '' });
  const problem = useSignal<string | undefined>(undefined);
  const isBusy = useSignal(false);
  const problemId = useId();
  const submit = async (event: Event) => {
    event.preventDefault();
    if (isBusy.value) return;
    const { name, source, username, password } = values.value;
    if (!/^[a-z0-9-]{1,48}$/.test(name)) problem.value = t('nameWrong');
    else if (!/^[a-z0-9]+:\/\/\S+$/.test(source)) problem.value = t('sourceWrong');
    else {
      problem.value = undefined;
      isBusy.value = true;
      try {
        const login = { ...(username && { username }), ...(password && { password }) };
        await fleet.command(gateway, 'stream/add', { name, source, ...login });
        done(name);
      } catch (error) {
        problem.value = failureWords(error);
      } finally {
        isBusy.value = false;
      }
    }
  };
  const field = (key: keyof typeof values.value, type: 'text' | 'password', hint?: string) => (
    <CameraField
      label={t(key)}
      type={type}
      hint={hint}
      problemId={problemId}
      value={values.value[key]}
      set={(text) => {
        values.value = { ...values.value, [key]: text };
      }}
    />
  );
  return (
    <form class="form" autocomplete="off" onSubmit={(event) => void submit(event)}>
      {field('name', 'text', t('nameHint'))}
      {field('source', 'text', t('sourceHint'))}
      {field('username', 'text', t('loginHint'))}
      {field('password', 'password')}
      <p id={problemId} role="alert" class="error">
        {problem}
      </p>
      <div class="row">
        <button type="submit" class="primary" aria-disabled={isBusy}>
          {isBusy.value ? t('adding') : t('add')}
        </button>
        <button type="button" onClick={cancel}>
          {t('cancel')}
        </button>
      </div>
    </form>
  );
}

interface CameraFieldProps {
  readonly label: string;
  readonly type: 'text' | 'password';
  readonly hint: string | undefined;
  readonly problemId: string;
  readonly value: string;
  readonly set: (text: string) => void;
}

function CameraField({ label, type, hint, problemId, value, set }: CameraFieldProps) {
  const id = useId();
  const attributes = {
    id,
    autocapitalize: 'none',
    'aria-describedby': `${id}-hint ${problemId}`,
    value,
    onInput: ({ currentTarget }: TargetedInputEvent<HTMLInputElement>) => set(currentTarget.value),
  } as const;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {type === 'text' ? (
        <input {...attributes} type="text" autocomplete="off" spellcheck={false} />
      ) : (
        <input {...attributes} type="password" autocomplete="new-password" />
      )}
      <span id={`${id}-hint`} class="hint">
        {hint}
      </span>
    </div>
  );
}
