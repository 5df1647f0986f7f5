/** Takes the emulation prevention bytes out of a NAL unit's payload, and puts them in. H.264 §7.3.1, §7.4.1. */

/** 00 00 03 becomes 00 00; without any of those the bytes are returned as they are. */
export function removeEmulationPrevention(bytes: Uint8Array): Uint8Array {
  if (!hasEmulationPrevention(bytes)) return bytes;
  const rbsp = new Uint8Array(bytes.length);
  let length = 0;
  let zeros = 0;
  for (const byte of bytes) {
    if (zeros >= 2 && byte === 3) {
      zeros = 0;
      continue;
    }
    rbsp[length] = byte;
    length += 1;
    zeros = byte === 0 ? zeros + 1 : 0;
  }
  return rbsp.subarray(0, length);
}

function hasEmulationPrevention(bytes: Uint8Array): boolean {
  for (let at = bytes.indexOf(3); at !== -1; at = bytes.indexOf(3, at + 1)) {
    if (bytes[at - 1] === 0 && bytes[at - 2] === 0) return true;
  }
  return false;
}

/** A NAL unit: its header, then the RBSP with a 03 before each byte of 0 to 3 behind two zeros. The RBSP's trailing bits are there. */
export function addEmulationPrevention(header: number, rbsp: Uint8Array): Uint8Array {
  // At most one in three is added.
  const nalUnit = new Uint8Array(2 + rbsp.length + (rbsp.length >> 1));
  nalUnit[0] = header;
  let length = 1;
  let zeros = 0;
  for (const byte of rbsp) {
    if (zeros >= 2 && byte <= 3) {
      nalUnit[length] = 3;
      length += 1;
      zeros = 0;
    }
    nalUnit[length] = byte;
    length += 1;
    zeros = byte === 0 ? zeros + 1 : 0;
  }
  return nalUnit.subarray(0, length);
}
