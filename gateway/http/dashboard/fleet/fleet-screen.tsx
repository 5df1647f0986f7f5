import type { Fleet } from '../model.ts';
import { screenWords } from '../screen-words.ts';

export function FleetScreen({ fleet }: { readonly fleet: Fleet }) {
  return (
    <h1>
      {screenWords('fleet')} {fleet.gateways.value.length}
    </h1>
  );
}
