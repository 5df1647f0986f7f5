/** What is on the board, in the set of what brokers ought to hold, and every change of it. */
import { scrubbedJson } from '../secrets.ts';
import type { Board, PublishEntry, StreamEntry, StreamPart } from './board.ts';
import type { RetainedSet } from './retained-set.ts';
import type { FoundDevice, PositionStatus, SerialStatus } from './status.ts';
import type { Topics } from './topics.ts';

export class BoardTeller {
  readonly #board: Board;
  readonly #retained: RetainedSet;
  readonly #topics: Topics;

  constructor(board: Board, retained: RetainedSet, topics: Topics) {
    this.#board = board;
    this.#retained = retained;
    this.#topics = topics;
  }

  listen(): void {
    this.#tellAll();
    this.#board.on('stream', this.#onStream);
    this.#board.on('publish', this.#onPublish);
    this.#board.on('found', this.#onFound);
    this.#board.on('serial', this.#onSerial);
    this.#board.on('position', this.#onPosition);
  }

  close(): void {
    this.#board.off('stream', this.#onStream);
    this.#board.off('publish', this.#onPublish);
    this.#board.off('found', this.#onFound);
    this.#board.off('serial', this.#onSerial);
    this.#board.off('position', this.#onPosition);
  }

  /** With their counters, which move all the time. */
  tellPublishes(): void {
    for (const entry of this.#board.publishes.values()) this.#tellPublish(entry);
  }

  #tellAll(): void {
    const board = this.#board;
    for (const entry of board.streams.values()) {
      this.#onStream(entry, 'status');
      this.#onStream(entry, 'info');
      this.#onStream(entry, 'motion');
    }
    this.tellPublishes();
    for (const device of board.found.values()) this.#onFound(device, 'changed');
    for (const line of board.serial.values()) this.#onSerial(line);
    if (board.position !== undefined) this.#onPosition(board.position);
  }

  #tellPublish({ stream, target, status }: PublishEntry): void {
    this.#retained.set(this.#topics.publish(stream, target), scrubbedJson(status));
  }

  readonly #onStream = (entry: StreamEntry, part: StreamPart): void => {
    const { name, status, info, motion } = entry;
    switch (part) {
      case 'status':
        this.#retained.set(this.#topics.streamStatus(name), scrubbedJson(status));
        return;
      case 'info':
        if (info !== undefined)
          this.#retained.set(this.#topics.streamInfo(name), scrubbedJson(info));
        return;
      case 'motion':
        if (motion !== undefined) this.#retained.set(this.#topics.streamMotion(name), motion);
        return;
      case 'removed':
        this.#retained.remove(this.#topics.streamStatus(name));
        this.#retained.remove(this.#topics.streamInfo(name));
        this.#retained.remove(this.#topics.streamMotion(name));
        return;
      case 'stats':
      // Every 10 s, with all the others.
    }
  };

  readonly #onPublish = (entry: PublishEntry, part: 'status' | 'stats' | 'removed'): void => {
    if (part === 'status') this.#tellPublish(entry);
    if (part === 'removed') {
      this.#retained.remove(this.#topics.publish(entry.stream, entry.target));
    }
  };

  readonly #onFound = (device: FoundDevice, part: 'changed' | 'removed'): void => {
    const topic = this.#topics.found(device.id);
    if (part === 'changed') this.#retained.set(topic, scrubbedJson(device));
    else this.#retained.remove(topic);
  };

  readonly #onSerial = (line: SerialStatus): void => {
    this.#retained.set(this.#topics.serial(line.name), scrubbedJson(line));
  };

  readonly #onPosition = (position: PositionStatus): void => {
    this.#retained.set(this.#topics.position, scrubbedJson(position));
  };
}
