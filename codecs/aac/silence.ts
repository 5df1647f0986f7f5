/**
 * Silence as AAC-LC, for masters that demand sound of a camera that has none. The frame is written by
 * hand: a raw_data_block (ISO/IEC 14496-3 §4.4.2.1) with one element whose spectrum is empty (max_sfb 0),
 * and its end. Every frame is the same, and decodes without the one before it.
 */
import type { AacTrack } from '../track.ts';
import {
  AudioObjectType,
  aacTrack,
  serializeAudioSpecificConfig,
} from './audio-specific-config.ts';

export const SILENT_AAC_SAMPLES = 1024;

/**
 * single_channel_element: id_syn_ele 0 (3 bits), element_instance_tag (4), global_gain (8), ics_info (11: a
 * long window, max_sfb 0, no prediction), pulse, TNS and gain control (3, all absent); END: 7 (3).
 */
const MONO = Uint8Array.of(0x00, 0x00, 0x00, 0x07);
/**
 * channel_pair_element: id_syn_ele 1 (3 bits), element_instance_tag (4), common_window 1 (1), ics_info (11),
 * ms_mask_present 0 (2), twice global_gain (8) and three flags (3); END: 7 (3), two bits of alignment.
 */
const STEREO = Uint8Array.of(0x21, 0x00, 0x00, 0x00, 0x00, 0x1c);

export interface SilentAac {
  readonly track: AacTrack;
  /** One frame of `SILENT_AAC_SAMPLES`; to be copied before a sink may write into its headroom. */
  readonly frame: Uint8Array;
}

export function silentAac(sampleRate: number, channels: 1 | 2): SilentAac {
  const config = serializeAudioSpecificConfig({
    objectType: AudioObjectType.lc,
    sampleRate,
    channelConfiguration: channels,
  });
  return { track: aacTrack(config), frame: (channels === 1 ? MONO : STEREO).slice() };
}
