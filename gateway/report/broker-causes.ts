/** Why there is no connection to the broker, in plain words. */
import { type Cause, explain } from '../causes.ts';
import { scrub } from '../secrets.ts';
import { BrokerError } from './mqtt-session.ts';

/** Reason codes of MQTT 3.1.1 §3.2.2.3 and MQTT 5 §3.2.2.2, §3.14.2.1. */
const BAD_LOGIN = [4, 134];
const NOT_AUTHORIZED = [5, 135];
const SESSION_TAKEN_OVER = 142;
/** What the far side says of our certificate (RFC 8446 §6.2), in Node's words. */
const WANTS_CERTIFICATE = /ALERT_(?:CERTIFICATE|BAD_CERTIFICATE|UNKNOWN_CA|UNSUPPORTED_CERT)/;

export function explainBroker(error: unknown, url: string): Cause {
  const who = `The MQTT broker ${scrub(url)}`;
  if (!(error instanceof BrokerError)) return explain(error, who, 'master');
  const { reasonCode, cause } = error;
  if (reasonCode === undefined) {
    if (cause instanceof Error && 'code' in cause) {
      if (!WANTS_CERTIFICATE.test(String(cause.code))) return explain(cause, who, 'master');
      const reason = `${who} wants a certificate of this gateway that it trusts. Set mqtt.certFile and mqtt.keyFile, or other ones.`;
      return { code: 'tls', reason, patience: 'rare' };
    }
    return { code: 'network', reason: `${who}: ${error.message}.`, patience: 'normal' };
  }
  if (BAD_LOGIN.includes(reasonCode) || NOT_AUTHORIZED.includes(reasonCode)) {
    return {
      code: 'auth',
      reason: `${who} refused the login. Check mqtt.username and mqtt.password.`,
      patience: 'taken',
    };
  }
  if (reasonCode === SESSION_TAKEN_OVER) {
    return twin(`${who}: another gateway came with the same id. Set gateway.id of one of them.`);
  }
  return {
    code: 'refused',
    reason: `${who}: ${error.message} (reason code ${reasonCode}).`,
    patience: 'normal',
  };
}

/** Mosquitto 2.0 gives no reason code when it ends the connection of one client for another of the same id. */
export function explainTwin(url: string, gatewayId: string): Cause {
  const who = `The MQTT broker ${scrub(url)}`;
  return twin(
    `${who} ends the connection again and again, soon after the login. Perhaps another gateway has the id ${gatewayId}, too; each needs a gateway.id of its own.`,
  );
}

function twin(reason: string): Cause {
  return { code: 'name-taken', reason, patience: 'taken' };
}
