/** Logs in to a found device to learn who it is: all of its addresses, and the credentials that may be tried. */
import { AuthenticationError, ProtocolError } from '../../codecs/errors.ts';
import type { CredentialChooser } from '../../drivers/onvif/credential-chooser.ts';
import { type DeviceDescription, OnvifClient } from '../../drivers/onvif/onvif-client.ts';
import type { OnvifEndpoint } from '../../drivers/onvif/onvif-endpoint.ts';

export async function logInToDevice(
  endpoints: readonly OnvifEndpoint[],
  logins: CredentialChooser,
  now: () => number,
  signal: AbortSignal,
): Promise<DeviceDescription> {
  let lastError: unknown = new ProtocolError(
    'NO_ADDRESS',
    'no address of this device is known yet',
  );
  for (const endpoint of endpoints) {
    try {
      return await logInAt(endpoint, logins, now, signal);
    } catch (error) {
      // The same account at another address: a refusal counts for all of them.
      if (signal.aborted || error instanceof AuthenticationError) throw error;
      lastError = error;
    }
  }
  throw lastError;
}

/** One after the other, as long as one is left that was not refused. */
async function logInAt(
  endpoint: OnvifEndpoint,
  logins: CredentialChooser,
  now: () => number,
  signal: AbortSignal,
): Promise<DeviceDescription> {
  for (;;) {
    const credentials = logins.next();
    try {
      const client = new OnvifClient(endpoint, credentials, {
        signal,
        now,
        onRefused: () => logins.refused(credentials),
        refusalsLeft: () => logins.refusalsLeft,
      });
      const description = await client.describeDevice();
      logins.worked(credentials);
      return description;
    } catch (error) {
      const isRefusal = error instanceof AuthenticationError && error.credentialsSent;
      if (!isRefusal || !logins.hasUntried || logins.heldUntilMs !== undefined) throw error;
    }
  }
}
