/**
 * Times of a source's units → times that can be published. What is right stays as it is, to the
 * microsecond; what cannot be right is put right from arrival, and nothing here is ever an error:
 *
 * - A clock that jumps against arrival (NTP step, restarted encoder) goes on by about the arrival gap. Tracks that
 *   jump by the same amount, a few packets apart, are corrected by the same amount: they stay aligned.
 * - A clock that stands still while units come (all times 0) is not asked: times are those of arrival.
 * - A clock that runs slow or fast by more than 2 %, for a minute and in every part of it, is followed at
 *   the pace of arrival from then on, and what it lost by then is caught up with gently.
 * - Jitter, bursts, stalls that catch up, pauses and small drift are the network's or the scene's: not touched.
 *
 * One clock for each track; the tracks of one source share a `ClockGroup`.
 */
import { DriftMeter } from './drift-meter.ts';
import { SuspectedStep } from './suspected-step.ts';

/** Further off against arrival is a jump. Reordered pictures go back by less. */
const JUMP_US = 1_000_000;
/** How far back a track goes that has no reordered units, before it is a jump. */
const STEP_BACK_US = 100_000;
/** Tracks that jump within this time by amounts this close jumped together. */
const JOINT_JUMP_MS = 10_000;
const JOINT_JUMP_US = 500_000;
/** What goes on across a jump when nothing tells how long a unit lasts. */
const MIN_STEP_US = 1_000;
const MAX_STEP_US = 200_000;
/** A clock that has not moved for so long while units came stands still: a picture's packets are never so far apart. */
const STANDSTILL_MS = 1_000;
/** One track this far behind where it was, while another is not by half of it, has lost time. */
const MIN_BEHIND_US = 1_000_000;

/** A wrong clock is followed with so much extra pace at most, so that motion stays natural. */
const MAX_CATCH_UP = 0.1;
const CATCH_UP_US = 30_000_000;
/** Pace is set anew so often. */
const PACE_WINDOWS = 5;
/** Right again: within this of arrival's pace and place. */
const SETTLED_DRIFT = 0.01;
const SETTLED_US = 100_000;
/** What the measured pace is bounded by while a clock is followed. Milliseconds sent for 90 kHz make 0.011. */
const MIN_PACE = 0.005;
const MAX_PACE = 2.5;

/** What the tracks of one source have in common. */
export class ClockGroup {
  readonly clocks: SourceClock[] = [];
  #jumpUs = 0;
  #jumpAtMs = Number.NEGATIVE_INFINITY;

  /** `byUs` as measured by one track; returns what another one was just corrected by, when that is the same jump. */
  joint(byUs: number, arrivalMs: number): number {
    const isJoint =
      arrivalMs - this.#jumpAtMs < JOINT_JUMP_MS && Math.abs(byUs - this.#jumpUs) < JOINT_JUMP_US;
    if (!isJoint) this.#jumpUs = byUs;
    this.#jumpAtMs = arrivalMs;
    return this.#jumpUs;
  }
}

export class SourceClock {
  /** How often it was put right after a jump. */
  jumps = 0;
  /** It stood still while units came. */
  hasStopped = false;
  readonly #group: ClockGroup;
  readonly #stepBackUs: number;
  /** Another track has stepped back by so little that this one may have, too. */
  #suspected: SuspectedStep | undefined;
  #meter = new DriftMeter();
  /** Added to the source's time: all its jumps. The sum is "even" time. */
  #jumpUs = 0;
  #lastUs = 0;
  #highestUs = 0;
  /** When that came. */
  #highestAtMs = 0;
  #isStopped = false;
  #lastArrivalMs: number | undefined;
  #stepUs = MIN_STEP_US;
  // Even time to published time: a line through an anchor, steeper or flatter while a wrong clock is followed.
  #anchorUs = 0;
  #anchorOutUs = 0;
  #pace = 1;
  #paceBefore = 1;
  #highestOutUs = Number.NEGATIVE_INFINITY;
  /** Where published time should be against arrival; undefined while the clock is trusted. */
  #aimUs: number | undefined;
  /** Where it is. */
  #outMeter = new DriftMeter();
  #windows = 0;
  #correctedDrift: number | undefined;

  /** `isReordered`: units may come in another order than they are shown (video). */
  constructor(isReordered: boolean, group: ClockGroup = new ClockGroup()) {
    this.#stepBackUs = isReordered ? JUMP_US : STEP_BACK_US;
    this.#group = group;
    group.clocks.push(this);
  }

  /** The time to publish. `sourceUs` counts on without wrapping; `arrivalMs` on a clock that never goes back. */
  place(sourceUs: number, arrivalMs: number): number {
    this.#followJump(sourceUs, arrivalMs);
    this.#followStep(sourceUs, arrivalMs);
    const evenUs = sourceUs + this.#jumpUs;
    const stepUs = evenUs - this.#lastUs;
    if (stepUs > 0 && stepUs <= MAX_STEP_US) this.#stepUs = stepUs;
    this.#lastUs = evenUs;
    this.#lastArrivalMs = arrivalMs;
    if (evenUs > this.#highestUs) {
      this.#highestUs = evenUs;
      this.#highestAtMs = arrivalMs;
    }
    if (this.#meter.note(evenUs, arrivalMs * 1000)) this.#look();
    const outUs = this.#toOut(evenUs);
    if (this.#aimUs !== undefined) this.#outMeter.note(outUs, arrivalMs * 1000);
    return this.#bounded(outUs);
  }

  /** Where a time near the last one lies, without following it. */
  locate(sourceUs: number): number {
    return this.#toOut(sourceUs + this.#jumpUs);
  }

  /** What comes is `byUs` later from now on. */
  shift(byUs: number): void {
    this.#anchorOutUs += byUs;
    if (this.#aimUs === undefined) return;
    this.#aimUs += byUs;
    this.#outMeter = new DriftMeter();
  }

  /** −0.16: the clock runs 16 % slow. As measured so far, up to a minute; undefined before 10 s. */
  get drift(): number | undefined {
    return this.#meter.drift;
  }

  /** The drift that is corrected, or was; undefined when the clock is as it came. */
  get correctedDrift(): number | undefined {
    return this.#correctedDrift;
  }

  #followJump(sourceUs: number, arrivalMs: number): void {
    if (this.#lastArrivalMs === undefined) {
      this.#lastUs = sourceUs;
      this.#highestUs = sourceUs;
      this.#highestAtMs = arrivalMs;
      return;
    }
    const arrivedUs = (arrivalMs - this.#lastArrivalMs) * 1000;
    const evenUs = sourceUs + this.#jumpUs;
    if (this.#standsStill(evenUs, arrivalMs)) {
      this.#jumpUs += this.#highestUs + Math.max(Math.round(arrivedUs), MIN_STEP_US) - evenUs;
      return;
    }
    const aheadUs = evenUs - this.#lastUs - arrivedUs;
    // Sparse units that come in a burst are further apart than their arrivals, too; but not early.
    const isForward =
      evenUs - this.#lastUs > JUMP_US &&
      aheadUs > JUMP_US &&
      evenUs - arrivalMs * 1000 > this.#meter.recentUs + JUMP_US;
    if (!isForward && evenUs >= this.#highestUs - this.#stepBackUs) return;
    this.jumps += 1;
    const dueUs = this.#highestUs + Math.max(arrivedUs, this.#stepUs);
    const byUs = this.#group.joint(Math.round(dueUs - evenUs), arrivalMs);
    for (const other of this.#group.clocks) if (other !== this) other.#suspect(byUs, arrivalMs);
    // Never before what came: alignment is worth less than order.
    this.#jumpUs += Math.max(byUs, this.#highestUs + MIN_STEP_US - evenUs);
  }

  #suspect(byUs: number, arrivalMs: number): void {
    const isSmall = byUs > STEP_BACK_US && byUs <= this.#stepBackUs;
    const { recentUs } = this.#meter;
    if (isSmall && Number.isFinite(recentUs))
      this.#suspected = new SuspectedStep(byUs, recentUs, arrivalMs);
  }

  #followStep(sourceUs: number, arrivalMs: number): void {
    const verdict = this.#suspected?.note(sourceUs + this.#jumpUs, arrivalMs) ?? 'perhaps';
    if (verdict === 'perhaps') return;
    if (verdict === 'yes') {
      this.jumps += 1;
      this.#jumpUs += this.#suspected?.byUs ?? 0;
    }
    this.#suspected = undefined;
  }

  /** What has gone back is a jump, or a B-frame: that one may come late, behind a stall, and the clock is right. */
  #standsStill(evenUs: number, arrivalMs: number): boolean {
    const hasStoodLong = arrivalMs - this.#highestAtMs >= STANDSTILL_MS;
    this.#isStopped = evenUs === this.#lastUs && (this.#isStopped || hasStoodLong);
    if (this.#isStopped) this.hasStopped = true;
    return this.#isStopped;
  }

  /** Once every two seconds. */
  #look(): void {
    this.#makeUpForLostTime();
    const { steadyDrift } = this.#meter;
    if (steadyDrift !== undefined) {
      this.#correctedDrift = steadyDrift;
      if (this.#aimUs === undefined) this.#beginCorrecting(steadyDrift);
    }
    if (this.#aimUs === undefined) return;
    this.#windows += 1;
    if (this.#windows % PACE_WINDOWS === 0) this.#setPace(this.#aimUs);
  }

  #beginCorrecting(drift: number): void {
    const leadUs = this.#toOut(this.#highestUs) - this.#highestUs;
    this.#aimUs = this.#meter.beforeOldestUs(drift) + leadUs;
    this.#outMeter = new DriftMeter();
    this.#windows = 0;
    this.#turn(1 / clamp(1 + drift, MIN_PACE, MAX_PACE));
  }

  /** A restarted encoder may count on as if no time had passed; only beside another track does it matter. */
  #makeUpForLostTime(): void {
    const behindUs = this.#meter.fallenBehindUs;
    if (behindUs < MIN_BEHIND_US || this.#aimUs !== undefined) return;
    const isAlone = this.#group.clocks.some(
      (clock) => clock !== this && clock.#isOnTime(behindUs / 2),
    );
    if (!isAlone) return;
    this.jumps += 1;
    this.#jumpUs += Math.round(behindUs);
    this.#lastUs += Math.round(behindUs);
    this.#meter = new DriftMeter();
  }

  #isOnTime(withinUs: number): boolean {
    const { drift } = this.#meter;
    return drift !== undefined && this.#meter.oldestUs - this.#meter.recentUs < withinUs;
  }

  #setPace(aimUs: number): void {
    const behindUs = aimUs - this.#outMeter.recentUs;
    const drift = this.#meter.drift ?? 0;
    if (!Number.isFinite(behindUs)) return;
    if (Math.abs(drift) < SETTLED_DRIFT && Math.abs(behindUs) < SETTLED_US) {
      this.#turn(1);
      this.#aimUs = undefined;
      return;
    }
    const extra = clamp(behindUs / CATCH_UP_US, -MAX_CATCH_UP, MAX_CATCH_UP);
    this.#turn((1 + extra) / clamp(1 + drift, MIN_PACE, MAX_PACE));
  }

  #turn(pace: number): void {
    this.#anchorOutUs = this.#toOut(this.#highestUs);
    this.#anchorUs = this.#highestUs;
    this.#paceBefore = this.#pace;
    this.#pace = pace;
  }

  /** Units shown before the anchor keep the pace they were begun with: no two change their order. */
  #toOut(evenUs: number): number {
    const sinceUs = evenUs - this.#anchorUs;
    const pace = sinceUs < 0 ? this.#paceBefore : this.#pace;
    return this.#anchorOutUs + Math.round(sinceUs * pace);
  }

  #bounded(outUs: number): number {
    const reorderUs = this.#stepBackUs === JUMP_US ? JUMP_US : 0;
    const boundedUs = Math.max(outUs, this.#highestOutUs - reorderUs);
    if (boundedUs > this.#highestOutUs) this.#highestOutUs = boundedUs;
    return boundedUs;
  }
}

/** What is wrong with the clock of a track, in whole sentences. */
export function clockNotes(
  kind: 'video' | 'audio',
  { correctedDrift, jumps, hasStopped }: SourceClock,
): string[] {
  const words = [];
  if (hasStopped) words.push(`The ${kind}: its clock stands still; times are those of arrival.`);
  if (correctedDrift !== undefined) words.push(`The ${kind}: ${describeDrift(correctedDrift)}.`);
  if (jumps > 0) words.push(`The ${kind}: its clock jumped; times went on from arrival.`);
  return words;
}

/** "its clock runs 16 % slow; times are corrected from arrival" */
export function describeDrift(drift: number): string {
  const percent = Math.round(Math.abs(drift) * 100);
  return `its clock runs ${percent} % ${drift < 0 ? 'slow' : 'fast'}; times are corrected from arrival`;
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(Math.max(value, min), max);
}
