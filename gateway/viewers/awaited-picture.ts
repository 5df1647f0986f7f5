/**
 * A picture that was announced, and has not come yet. Sound waits for it, so that viewers begin with a keyframe; but not
 * for ever: a camera whose encoder hangs, and a publisher that has only sound, announce pictures and never send one.
 */

/** Cameras begin within one or two seconds; who hears nothing for longer takes the stream for dead. */
const MAX_WAIT_US = 5_000_000;

type State =
  | { readonly at: 'waiting'; readonly sinceUs: number | undefined }
  | { readonly at: 'came' }
  | { readonly at: 'given-up' };

const BEGINNING: State = { at: 'waiting', sinceUs: undefined };
const CAME: State = { at: 'came' };

export class AwaitedPicture {
  #state: State = BEGINNING;

  /** The source begins. */
  restart(): void {
    this.#state = BEGINNING;
  }

  /** Also a picture that decoding cannot begin with: a keyframe will follow. */
  came(): void {
    this.#state = CAME;
  }

  get wasGivenUp(): boolean {
    return this.#state.at === 'given-up';
  }

  /** Asked for each unit of sound. */
  isGivenUp(soundUs: number): boolean {
    const state = this.#state;
    if (state.at !== 'waiting') return state.at === 'given-up';
    if (state.sinceUs === undefined || soundUs < state.sinceUs) {
      this.#state = { at: 'waiting', sinceUs: soundUs };
      return false;
    }
    if (soundUs - state.sinceUs < MAX_WAIT_US) return false;
    this.#state = { at: 'given-up' };
    return true;
  }
}
