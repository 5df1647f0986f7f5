/** Script data tags, FLV 10.1 §E.4.4: a name and values in AMF0. */
import { ParseError } from '../errors.ts';
import { type Amf0Object, Amf0Reader, type Amf0Value, isAmf0Object } from './amf0.ts';

/** Some servers pass on the publisher's "@setDataFrame" in front. */
const MAX_VALUES = 3;

/** What onMetaData says, as far as it can be read; undefined for other script data. */
export function metadataOf(scriptData: Uint8Array): Amf0Object | undefined {
  const values: Amf0Value[] = [];
  try {
    const reader = new Amf0Reader(scriptData);
    while (!reader.isAtEnd && values.length < MAX_VALUES) values.push(reader.read());
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
  }
  return values.includes('onMetaData') ? values.find(isAmf0Object) : undefined;
}
