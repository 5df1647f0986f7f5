/** What heads of cameras answer, on a serial line with noise and over UDP. */
import { ViscaFramer } from '../../../protocols/visca/visca-framer.ts';
import { parseViscaIp } from '../../../protocols/visca/visca-ip.ts';
import { visca } from '../../../protocols/visca/visca-language.ts';
import { hex } from '../../support/hex.ts';
import { framerOf, parserOf, type Subject } from '../subject.ts';

export const PTZ_SUBJECTS: readonly Subject[] = [
  framerOf(
    'VISCA replies',
    () => new ViscaFramer(),
    hex`88 30 03 ff 88 01 00 01 ff 90 41 ff 90 51 ff a0 60 02 ff`,
    hex`90 50 00 01 02 03 0f 0f 0f 0f ff b0 61 04 ff c0 38 ff`,
  ),
  parserOf(
    'VISCA over IP',
    parseViscaIp,
    hex`0111 0003 00000045 9041ff`,
    hex`0201 0001 00000000 01`,
    hex`0200 0002 00000007 0f01`,
  ),
  parserOf(
    'VISCA position',
    (payload) => visca(1).moveTo({ pan: 0 }, payload),
    hex`00 01 02 03 0f 0f 0f 0f`,
  ),
];
