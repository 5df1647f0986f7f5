/** Moves a camera: buttons and keys that are held, presets, home. */
import { useSignal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import type { PtzInfo } from '../../../report/status.ts';
import type { Fleet } from '../model.ts';
import { failureWords } from '../parts/failure-words.ts';
import { wordsOf } from '../words.ts';
import { DIRECTIONS, type DirectionName, directionOfKey } from './ptz-keys.ts';
import { PtzMover } from './ptz-mover.ts';
import { PtzPresets } from './ptz-presets.tsx';

/** A screen reader's click has no length: it moves a little. */
const NUDGE_MS = 400;

const t = wordsOf({
  en: {
    title: 'Pan, tilt, zoom',
    pad: 'Direction',
    hint: 'Hold a button to move, let go to stop. With the focus on a button: arrow keys, + and − for zoom.',
    up: 'Up',
    down: 'Down',
    left: 'Left',
    right: 'Right',
    'up-left': 'Up and left',
    'up-right': 'Up and right',
    'down-left': 'Down and left',
    'down-right': 'Down and right',
    'zoom-in': 'Zoom in',
    'zoom-out': 'Zoom out',
    home: 'Home',
    speed: 'Speed',
    moving: 'Moves.',
  },
  zh: {
    title: '云台与变焦',
    pad: '方向',
    hint: '按住按钮移动，松开停止。焦点在按钮上时：方向键移动，+ 和 − 变焦。',
    up: '上',
    down: '下',
    left: '左',
    right: '右',
    'up-left': '左上',
    'up-right': '右上',
    'down-left': '左下',
    'down-right': '右下',
    'zoom-in': '放大',
    'zoom-out': '缩小',
    home: '原位',
    speed: '速度',
    moving: '移动中。',
  },
});

const SIGNS: Readonly<Record<DirectionName, string>> = {
  'up-left': '↖',
  up: '↑',
  'up-right': '↗',
  left: '←',
  right: '→',
  'down-left': '↙',
  down: '↓',
  'down-right': '↘',
  'zoom-in': '+',
  'zoom-out': '−',
};
const NAMES = Object.keys(DIRECTIONS);
const BEFORE_HOME = ['up-left', 'up', 'up-right', 'left'] as const;
const AFTER_HOME = ['right', 'down-left', 'down', 'down-right'] as const;

export interface PtzPadProps {
  readonly fleet: Fleet;
  readonly gateway: string;
  readonly stream: string;
  readonly ptz: PtzInfo;
}

export function PtzPad({ fleet, gateway, stream, ptz }: PtzPadProps) {
  const words = useSignal('');
  const speed = useSignal(0.5);
  const ask = (args: Readonly<Record<string, unknown>>) =>
    fleet.command(gateway, 'ptz', { name: stream, ...args });
  const failed = (error: unknown) => {
    words.value = failureWords(error);
  };
  const mover = useMemo(() => new PtzMover({ ask, failed, every }), [fleet, gateway, stream]);
  useLettingGo(mover);
  const hold = (by: string, name: DirectionName) => {
    words.value = '';
    mover.speed = speed.value;
    mover.hold(by, DIRECTIONS[name]);
  };
  const button = (name: DirectionName) => (
    <DirectionButton key={name} name={name} hold={hold} mover={mover} />
  );
  const goHome = () => {
    words.value = '';
    ask({ action: 'home' }).catch(failed);
  };
  return (
    <section class="card stack" aria-labelledby="ptz-title">
      <h2 id="ptz-title">{t('title')}</h2>
      <p class="muted small" id="ptz-hint">
        {t('hint')}
      </p>
      <div class="ptz">
        <fieldset
          class="ptz-pad"
          aria-label={t('pad')}
          aria-describedby="ptz-hint"
          onKeyDown={(event) => {
            const name = directionOfKey(event.key);
            if (name === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
            event.preventDefault();
            if (!event.repeat) hold(`key ${name}`, name);
          }}
          onKeyUp={({ key }) => {
            const name = directionOfKey(key);
            if (name !== undefined) mover.release(`key ${name}`);
          }}
          onFocusOut={({ currentTarget, relatedTarget }) => {
            // The press of a button moves the focus, too, within the pad or, in Safari, to nowhere: it goes on.
            if (relatedTarget instanceof Node && currentTarget.contains(relatedTarget)) return;
            for (const name of NAMES) mover.release(`key ${name}`);
          }}
        >
          {BEFORE_HOME.map(button)}
          <button
            type="button"
            class="ptz-home"
            // Some keyboards and heads have none: keys still need a place to land on.
            aria-disabled={!ptz.home}
            onClick={() => ptz.home && goHome()}
          >
            {t('home')}
          </button>
          {AFTER_HOME.map(button)}
          {button('zoom-out')}
          {button('zoom-in')}
        </fieldset>
        <div class="stack">
          <label class="field">
            <span>{t('speed')}</span>
            <input
              type="range"
              min="0.1"
              max="1"
              step="0.1"
              value={speed.value}
              onInput={({ currentTarget }) => {
                speed.value = currentTarget.valueAsNumber;
              }}
            />
          </label>
          <p role="status" class="tone-bad">
            {words.value}
          </p>
          <PtzPresets ask={ask} kind={ptz.presets} />
        </div>
      </div>
    </section>
  );
}

interface DirectionButtonProps {
  readonly name: DirectionName;
  readonly hold: (by: string, name: DirectionName) => void;
  readonly mover: PtzMover;
}

function DirectionButton({ name, hold, mover }: DirectionButtonProps) {
  const by = `button ${name}`;
  const pressedBy = `press ${name}`;
  return (
    <button
      type="button"
      class={`ptz-button ptz-${name}`}
      aria-label={t(name)}
      title={t(name)}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        hold(by, name);
      }}
      onPointerUp={() => mover.release(by)}
      onPointerCancel={() => mover.release(by)}
      onLostPointerCapture={() => mover.release(by)}
      onContextMenu={(event) => event.preventDefault()}
      onKeyDown={(event) => {
        if (event.key !== 'Enter' && event.key !== ' ') return;
        event.preventDefault();
        if (!event.repeat) hold(pressedBy, name);
      }}
      onKeyUp={({ key }) => {
        if (key === 'Enter' || key === ' ') mover.release(pressedBy);
      }}
      onBlur={() => mover.release(pressedBy)}
      onClick={({ detail }) => {
        if (detail !== 0) return;
        hold(by, name);
        setTimeout(() => mover.release(by), NUDGE_MS);
      }}
    >
      <span aria-hidden="true">{SIGNS[name]}</span>
    </button>
  );
}

/** Whoever looks elsewhere does not hold anything any more. */
function useLettingGo(mover: PtzMover): void {
  useEffect(() => {
    const letGo = () => mover.releaseAll();
    window.addEventListener('blur', letGo);
    window.addEventListener('pagehide', letGo);
    document.addEventListener('visibilitychange', letGo);
    return () => {
      window.removeEventListener('blur', letGo);
      window.removeEventListener('pagehide', letGo);
      document.removeEventListener('visibilitychange', letGo);
      letGo();
    };
  }, [mover]);
}

function every(ms: number, callback: () => void): () => void {
  const timer = setInterval(callback, ms);
  return () => clearInterval(timer);
}
