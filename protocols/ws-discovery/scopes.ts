/**
 * ONVIF scopes: `onvif://www.onvif.org/<category>/<value>`, percent-encoded (ONVIF Core §7.3.2.2).
 * `mac` and `serial` are not in the specification, but Hikvision, Dahua and Uniview send one of them.
 */
const PREFIX = /^onvif:\/\/www\.onvif\.org\//i;

export interface OnvifScopes {
  readonly name: string | undefined;
  readonly hardware: string | undefined;
  readonly manufacturer: string | undefined;
  readonly serial: string | undefined;
  /** Twelve lower-case hexadecimal digits. */
  readonly mac: string | undefined;
}

export function parseScopes(scopes: readonly string[]): OnvifScopes {
  const values = new Map<string, string>();
  for (const scope of scopes) {
    if (!PREFIX.test(scope)) continue;
    const path = scope.replace(PREFIX, '');
    const slash = path.indexOf('/');
    if (slash <= 0) continue;
    const category = path.slice(0, slash).toLowerCase();
    const value = printable(decodePercent(path.slice(slash + 1)));
    if (value !== '' && !values.has(category)) values.set(category, value);
  }
  return {
    name: values.get('name'),
    hardware: values.get('hardware'),
    manufacturer: values.get('manufacturer'),
    serial: values.get('serial') ?? values.get('serialnumber'),
    mac: parseMac(values.get('mac')),
  };
}

/** Any of `AC:CC:8E:…`, `ac-cc-8e-…`, `accc8e…`; undefined when it is not a unicast hardware address. */
export function parseMac(text: string | undefined): string | undefined {
  const digits = text?.replace(/[:.-]/g, '').toLowerCase();
  if (digits === undefined || !/^[0-9a-f]{12}$/.test(digits)) return undefined;
  const isMulticast = (Number.parseInt(digits.slice(0, 2), 16) & 1) === 1;
  return isMulticast || digits === '000000000000' ? undefined : digits;
}

/** Percent-decoding that keeps what cannot be decoded: cameras send bare `%` and Latin-1. */
function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text.replace(/%([2-7][0-9a-f])/gi, (_match, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
  }
}

function printable(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ').trim();
}
