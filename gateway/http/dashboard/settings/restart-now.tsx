/** Beside what waits for the next start of the gateway: a way to it, where there is one. */
import { useEffect, useRef } from 'preact/hooks';
import type { Fleet } from '../model.ts';
import { CommandButton } from '../parts/command-button.tsx';
import { toast } from '../toasts.ts';
import { settingsWords as t } from './settings-words.ts';

export interface RestartNowProps {
  readonly fleet: Fleet;
  readonly gateway: string;
  /** A new life of it has told of itself. */
  readonly restarted: () => void;
}

export function RestartNow({ fleet, gateway, restarted }: RestartNowProps) {
  const info = fleet.gateways.value.find(({ id }) => id === gateway)?.info.value;
  const session = info?.session;
  const known = useRef(session);
  useEffect(() => {
    if (session === undefined || session === known.current) return;
    if (known.current !== undefined) {
      toast(t('restarted'));
      restarted();
    }
    known.current = session;
  }, [session]);
  if (info?.canRestart !== true) return null;
  return (
    <CommandButton
      {...{ fleet, gateway, verb: 'restart', args: {} }}
      question={t('restartQuestion')}
      doneWords={t('restarting')}
    >
      {t('restart')}
    </CommandButton>
  );
}
