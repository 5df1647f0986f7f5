import type { Fleet } from '../model.ts';
import { screenWords } from '../screen-words.ts';

export function GatewayScreen({
  gateway,
}: {
  readonly fleet: Fleet;
  readonly gateway: string | undefined;
}) {
  return (
    <h1>
      {screenWords('gateway')} {gateway}
    </h1>
  );
}
