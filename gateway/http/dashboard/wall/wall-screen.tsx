import type { Fleet } from '../model.ts';
import { screenWords } from '../screen-words.ts';

export function WallScreen({
  gateway,
}: {
  readonly fleet: Fleet;
  readonly gateway: string | undefined;
}) {
  return (
    <h1>
      {screenWords('wall')} {gateway}
    </h1>
  );
}
