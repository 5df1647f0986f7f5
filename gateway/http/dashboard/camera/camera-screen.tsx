import type { Fleet } from '../model.ts';

export interface CameraScreenProps {
  readonly fleet: Fleet;
  readonly gateway: string;
  readonly stream: string;
}

export function CameraScreen({ stream }: CameraScreenProps) {
  return <h1>{stream}</h1>;
}
