/** The verb `adopt`: somebody decides about a device, and is told what came of it. */
import { streamStateOf } from '../causes.ts';
import type { Board } from '../report/board.ts';
import type { CommandData } from '../report/command-data.ts';
import { type CommandArguments, CommandError } from '../report/commands.ts';
import type { StreamStatus } from '../report/status.ts';
import { registerSecret } from '../secrets.ts';
import { streamOutcome } from '../stream-outcome.ts';
import type { Adoption } from './adoption.ts';

export async function adoptByCommand(
  adoption: Adoption | undefined,
  args: CommandArguments<'adopt'>,
  board: Board,
  signal: AbortSignal,
): Promise<CommandData['adopt']> {
  const { device, decision, name, username, password = '', profile } = args;
  registerSecret(password);
  if (adoption === undefined || adoption.isOff) {
    throw new CommandError(
      'disabled',
      'discovery, or discovery.adopt, is off in the configuration',
    );
  }
  const listed = adoption.listed(device);
  const record = listed?.record ?? adoption.kept(device);
  if (listed === undefined && record === undefined) {
    throw new CommandError('not-found', `no device ${device} is found or kept`);
  }
  if (decision !== 'adopt') {
    await adoption.refuse(record, listed, decision);
    return { device, decision: decision === 'ignore' ? 'ignored' : 'forgotten' };
  }
  if (listed === undefined) {
    throw new CommandError('not-found', `${device} does not answer on the network now`);
  }
  if (listed.servedBy !== undefined) {
    throw new CommandError('configured', `it is ${listed.servedBy} of the configuration's streams`);
  }
  if (name !== undefined && name !== record?.name && adoption.isTaken(name)) {
    throw new CommandError('name-taken', `${name} is the name of another stream`);
  }
  const credentials = username === undefined ? undefined : { username, password };
  const result = await adoption.adoptNow(listed, { name, credentials, profile });
  if (result.at === 'failed') throw refusal(result.cause);
  const adoptedAs = result.name;
  const status = await streamOutcome(board, adoptedAs, signal);
  if (status?.state === 'unauthorized') throw refusal(status);
  const { state, code, reason } = status ?? {};
  return {
    ...{ device, decision: 'adopted', adoptedAs },
    ...(state && code && reason ? { state, code, reason } : {}),
  };
}

function refusal({ code, reason }: Pick<StreamStatus, 'code' | 'reason'>): CommandError {
  return new CommandError(streamStateOf(code) === 'unauthorized' ? 'needs-password' : code, reason);
}
