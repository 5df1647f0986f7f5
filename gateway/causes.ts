/**
 * Why something does not work, in plain words with what to do next: one closed list for cameras,
 * one for masters. The supervisor asks how patient to be; people read the reason.
 */
import {
  AuthenticationError,
  ParseError,
  ProtocolError,
  UnsupportedError,
} from '../codecs/errors.ts';
import type { CauseCode, StreamState } from './report/status.ts';

export type Patience = 'normal' | 'other-way' | 'listening' | 'taken' | 'login' | 'rare';

export interface Cause {
  readonly code: CauseCode;
  readonly reason: string;
  readonly patience: Patience;
  /** Not tried before, in ms since the epoch: too many logins were refused. */
  readonly notBeforeMs?: number;
}

/** Raised by the media watchdog. */
export class SilenceError extends Error {
  override readonly name = 'SilenceError';
  readonly code: 'no-data' | 'no-keyframe';

  constructor(code: 'no-data' | 'no-keyframe', message: string) {
    super(message);
    this.code = code;
  }
}

/** `found`: a camera that is no stream yet. */
type PeerKind = 'camera' | 'found' | 'master';

const WHERE_LOGINS_ARE: Record<PeerKind, string> = {
  camera: 'username and password of the stream, or discovery.credentials',
  found:
    'discovery.credentials, or send the command adopt with its id as device, username and password',
  master: 'user:password@ in targetUri',
};

/** `who` begins the sentence: "The camera 10.0.0.20:554". */
export function explain(error: unknown, who: string, kind: PeerKind): Cause {
  if (error === undefined) return cause('ended', `${who} ended the stream. Trying again.`);
  if (error instanceof SilenceError) return cause(error.code, error.message);
  if (error instanceof AuthenticationError) return explainLogin(error, who, kind);
  if (error instanceof UnsupportedError) {
    return cause('codec', `${who}: ${asSentence(error.message)}`, 'rare');
  }
  if (error instanceof ProtocolError)
    return explainProtocol(error, who, kind === 'master' ? 'master' : 'camera');
  if (error instanceof ParseError) {
    return cause(
      'protocol',
      `${who} sent something that cannot be understood: ${asSentence(error.message)} Trying again.`,
    );
  }
  return explainSystem(error, who);
}

/** Which state of a stream a cause shows as. */
export function streamStateOf(code: CauseCode): StreamState {
  switch (code) {
    case 'ok':
      return 'online';
    case 'starting':
      return 'connecting';
    case 'auth':
    case 'no-credentials':
    case 'not-authorized':
      return 'unauthorized';
    case 'codec':
      return 'unsupported';
    case 'no-data':
    case 'no-keyframe':
      return 'stalled';
    case 'ignored':
    case 'undecided':
      return 'disabled';
    case 'other-network':
    case 'no-address':
    case 'other-device':
    case 'clock':
    case 'dns':
    case 'refused':
    case 'rejected':
    case 'busy':
    case 'timeout':
    case 'network':
    case 'tls':
    case 'not-found':
    case 'protocol':
    case 'name-taken':
    case 'loop':
    case 'ended':
    case 'no-source':
      return 'unreachable';
  }
}

/** What a device said is quoted in some: it must not steer the terminal of who reads it. */
function cause(code: CauseCode, words: string, patience: Patience = 'normal'): Cause {
  return { code, reason: words.replace(/\p{Cc}+/gu, ' '), patience };
}

function explainLogin(error: AuthenticationError, who: string, kind: PeerKind): Cause {
  const where = WHERE_LOGINS_ARE[kind];
  if (!error.credentialsSent) {
    return cause(
      'no-credentials',
      `${who} asks for a login and none is configured. Set ${where}.`,
      'login',
    );
  }
  const refused = cause(
    'auth',
    `${who} refused the login: ${error.message}. Check ${where}; waiting long between tries so that the account is not locked.`,
    'login',
  );
  const { heldUntilMs } = error;
  return heldUntilMs === undefined ? refused : { ...refused, notBeforeMs: heldUntilMs };
}

function explainProtocol(error: ProtocolError, who: string, kind: 'camera' | 'master'): Cause {
  switch (error.code) {
    case 'RTMP_NAME_TAKEN':
      return cause(
        'name-taken',
        `${who} says the stream name is already being published. It may still hold our old session, or another gateway uses the same name (targetStreamName).`,
        'taken',
      );
    case 'RTMP_LOOP':
      return cause(
        'loop',
        `${who} has had this stream before, and takes it no second time: ${error.message}. Leave it out with localStreamName of the target, or publish it elsewhere.`,
        'rare',
      );
    case 'RTMP_CONNECT_REJECTED':
    case 'RTMP_PUBLISH_REFUSED':
    case 'RTMP_CLOSED_DURING_PUBLISH':
    case 'RTMP_PLAY_REFUSED':
    case 'RTMP_CLOSED_DURING_PLAY': {
      const check =
        kind === 'master'
          ? 'the application name and the stream key in targetUri and targetStreamName'
          : 'the application, the stream name and what stands behind it in the source URL';
      return cause(
        'rejected',
        `${who} refused the stream: ${error.message}. Check ${check}.`,
        'taken',
      );
    }
    // A live stream that is not there may begin at any moment.
    case 'RTMP_STREAM_NOT_FOUND':
      return cause(
        'not-found',
        `${who} has no such stream now: ${error.message}. Is it published, and is its name in the source URL right?`,
        'taken',
      );
    case 'RTMP_CLOSED':
      return cause('ended', `${who} ended the session: ${asSentence(error.message)} Trying again.`);
    case 'RTMP_OTHER_WAY':
      return cause('codec', `${who}: ${asSentence(error.message)}`, 'other-way');
    case 'RTMP_TRACKS_CHANGED':
      return cause(
        'starting',
        `${who} is given the stream anew: ${asSentence(error.message)}`,
        'other-way',
      );
    case 'NOTHING_COMES':
      return cause('no-data', `${who}: ${asSentence(error.message)}`, 'listening');
    case 'SDP_FILE':
      return cause('not-found', `${who}: ${asSentence(error.message)}`, 'rare');
    case 'PORT_TAKEN':
      return cause('busy', `${who}: ${asSentence(error.message)}`);
    case 'RTMP_STALLED':
      return cause(
        'timeout',
        `${who} does not read: ${error.message}. The uplink may be too slow.`,
      );
    case 'RTSP_OUT_OF_SESSIONS':
      // It may have a new password all the same: wait as after a refused login.
      return cause(
        'busy',
        `${who} refuses the login with which it played before: it is probably out of sessions. Close other viewers of it or restart it; if its password was changed, set the new one.`,
        'login',
      );
    case 'RTSP_ONVIF_LOGIN_REFUSED':
      return cause(
        'busy',
        `${who} takes the login by ONVIF and refuses it by RTSP: it is out of sessions, or has other users for RTSP. Close other viewers of it or restart it; else add a user of its RTSP server to discovery.credentials.`,
        'login',
      );
    case 'ONVIF_NOT_AUTHORIZED':
      return cause(
        'not-authorized',
        `${who} takes the login, but ${asSentence(error.message)}`,
        'rare',
      );
    case 'ONVIF_OTHER_DEVICE':
      return cause(
        'other-device',
        `${who} is not there any more: ${asSentence(error.message)} Waiting for it to be found elsewhere. If it was replaced, forget it with the command adopt, and the new one is found.`,
      );
    case 'NO_ADDRESS':
    case 'ONVIF_NO_ADDRESS':
      return cause(
        'no-address',
        `${who} is not found on the network, and no address of it is known. Is it switched on and on this network? Looking for it.`,
      );
    case 'ONVIF_FAULT':
    case 'ONVIF_HTTP':
    case 'ONVIF_NOT_SUPPORTED':
    case 'ONVIF_REPLY':
    case 'ONVIF_REPLY_TOO_LONG':
    case 'ONVIF_REQUEST':
    case 'ONVIF_URI':
      return cause(
        'protocol',
        `${who} answers ONVIF with an error: ${asSentence(error.message)} If it stays, restart it, update its firmware, or set its RTSP URL under streams.`,
      );
    // Of HTTP that carries RTMP: nothing that the words about HTTP below fit.
    case 'RTMPT_STATUS':
      return cause('protocol', `${who}: ${asSentence(error.message)} Trying again.`);
    case 'RTMPE_REFUSED':
      return cause(
        'protocol',
        `${who}: ${asSentence(error.message)} Write rtmp:// or rtmps:// in its URL.`,
        'rare',
      );
    case 'RTSP_WEB_SERVER':
      return cause('protocol', `${who} ${error.message}.`, 'rare');
    default:
  }
  if (error.status === 404) {
    return cause(
      'not-found',
      `${who} knows no such stream (404). Check the path of the source URL.`,
      'rare',
    );
  }
  if (error.status === 453 || error.status === 503) {
    return cause(
      'busy',
      `${who} has no session free (${error.status}). Close other viewers of this ${kind}, or wait.`,
    );
  }
  return cause('protocol', `${who}: ${asSentence(error.message)} Trying again.`);
}

const SYSTEM_CAUSES: Record<string, { readonly code: CauseCode; readonly words: string }> = {
  ENOTFOUND: {
    code: 'dns',
    words: 'its name cannot be found. Check the spelling and the DNS server',
  },
  EAI_AGAIN: {
    code: 'dns',
    words: 'its name cannot be looked up now. Check the network and the DNS server',
  },
  ECONNREFUSED: {
    code: 'refused',
    words: 'nothing listens there. Is it running, and is the port right?',
  },
  EHOSTUNREACH: {
    code: 'network',
    words: 'it cannot be reached. Is it switched on and on this network?',
  },
  ENETUNREACH: { code: 'network', words: 'there is no route to it. Check the network of this box' },
  EADDRNOTAVAIL: {
    code: 'network',
    words: 'this box has no such network interface or address now. Check interface and the cable',
  },
  EACCES: {
    code: 'refused',
    words: 'this box does not let Sluice open that port. Ports below 1024 need rights of their own',
  },
  ENODEV: {
    code: 'network',
    words: 'this box has no network to join a group on. Check interface and the cable',
  },
  EHOSTDOWN: { code: 'network', words: 'it is down. Is it switched on and on this network?' },
  ETIMEDOUT: {
    code: 'timeout',
    words: 'it does not answer. Is it switched on, and does a firewall drop the packets?',
  },
  ECONNRESET: { code: 'ended', words: 'it closed the connection' },
  EPIPE: { code: 'ended', words: 'it closed the connection' },
  ECONNABORTED: { code: 'ended', words: 'the connection was cut' },
};

function explainSystem(error: unknown, who: string): Cause {
  if (!(error instanceof Error))
    return cause('protocol', `${who}: ${String(error)}. Trying again.`);
  const code = systemCode(error);
  const known = SYSTEM_CAUSES[code];
  if (known !== undefined) return cause(known.code, `${who}: ${known.words} (${code}).`);
  if (error.name === 'TimeoutError') {
    return cause(
      'timeout',
      `${who} does not answer in time. Is it switched on, and is the port right?`,
    );
  }
  if (/^(CERT_NOT_YET_VALID|CERT_HAS_EXPIRED)$/.test(code)) {
    return cause(
      'clock',
      `${who}: its certificate is not valid at this time: ${error.message} (${code}). Check the clock of this box (NTP) first, then the certificate.`,
    );
  }
  if (/^(ERR_TLS|ERR_SSL|CERT_|UNABLE_TO|SELF_SIGNED|DEPTH_ZERO|HOSTNAME_|EPROTO)/.test(code)) {
    return cause(
      'tls',
      `${who}: its certificate or TLS is not accepted: ${tlsWords(error)} (${code}). Set caFile or fingerprint, and check the clock of this box.`,
    );
  }
  return cause('protocol', `${who}: ${asSentence(error.message)} Trying again.`);
}

/** OpenSSL's messages have thread, code, function and source line around the words. */
function tlsWords(error: Error): string {
  return 'reason' in error && typeof error.reason === 'string' ? error.reason : error.message;
}

/** The code of the error itself, or of the first inner error that has one (Happy Eyeballs wraps them). */
function systemCode(error: Error): string {
  if ('code' in error && typeof error.code === 'string') return error.code;
  if (error instanceof AggregateError) {
    for (const inner of error.errors) {
      if (inner instanceof Error && systemCode(inner) !== '') return systemCode(inner);
    }
  }
  return error.cause instanceof Error ? systemCode(error.cause) : '';
}

/** Some messages end with a question. */
function asSentence(message: string): string {
  return /[.?!]$/.test(message) ? message : `${message}.`;
}
