/** A virtual camera, and an OnvifCamera whose controls are asked; nothing is pulled. */
import type { TestContext } from 'node:test';
import { pino } from 'pino';
import { OnvifCamera, type OnvifCameraOptions } from '../../drivers/camera/onvif-camera.ts';
import type { Credentials } from '../../drivers/driver.ts';
import { CredentialChooser } from '../../drivers/onvif/credential-chooser.ts';
import { VirtualOnvif, type VirtualOnvifOptions } from './virtual-onvif.ts';

export const SIGNAL = new AbortController().signal;

export async function startControlled(
  t: TestContext,
  device: Partial<VirtualOnvifOptions> = {},
  options: Partial<OnvifCameraOptions> = {},
  credentials: readonly Credentials[] = [{ username: 'admin', password: 'secret' }],
) {
  const virtual = await VirtualOnvif.start({ rtspUrl: 'rtsp://127.0.0.1:8554/main', ...device });
  t.after(() => virtual.close());
  const endpoint = {
    host: '127.0.0.1',
    port: virtual.port,
    path: '/onvif/device_service',
    secure: false,
  };
  const chooser = new CredentialChooser(credentials, Date.now);
  const camera = new OnvifCamera(
    {
      endpoints: () => [endpoint],
      credentials: chooser,
      profile: 'main',
      transport: 'auto',
      openRtsp: () => {
        throw new Error('nothing is pulled here');
      },
      ...options,
    },
    { log: pino({ level: 'silent' }), now: Date.now },
  );
  return { virtual, camera, controls: camera.controls, chooser };
}

/** Its head, which is known after a first login. */
export async function startHead(
  t: TestContext,
  ptz: NonNullable<VirtualOnvifOptions['ptz']> = {},
  device: Partial<VirtualOnvifOptions> = {},
) {
  const setup = await startControlled(t, { ptz, ...device });
  await setup.controls.clock(SIGNAL);
  const head = setup.controls.ptz;
  if (head === undefined) throw new Error('no head');
  return { ...setup, head };
}
