/**
 * The player in the page of a stream, as the browser gets it. Apple's browsers play HLS themselves, low latency and
 * all. For the others it reads our own media playlist and hands the same parts to Media Source Extensions: it
 * knows no more of HLS than what `playlists.ts` writes.
 *
 * It runs in browsers, so it is text here: no line of it runs in this process. `${…}` and backticks must not occur in it.
 */
export const PLAYER_SCRIPT = String.raw`'use strict';
const video = document.querySelector('video');
const words = document.querySelector('p');
const folder = location.pathname.replace(/\/$/, '') + '/';
const token = new URLSearchParams(location.search).get('token');
const suffix = token === null ? '' : '?token=' + encodeURIComponent(token);
/** Seconds behind the newest picture at which it catches up by a jump. */
const TOO_LATE_S = 8;
const KEPT_S = 20;
const HLS_TYPE = 'application/vnd.apple.mpegurl';
/** The picture stands still for so long: begin anew. The first segment alone may take 20 s. */
const STUCK_MS = 45000;
const RETRY_MS = [500, 1000, 2000, 4000];

function say(text) {
  if (words.textContent !== text) words.textContent = text;
}

/** What is wrong, in words; the player begins anew after a while. */
class Trouble extends Error {}

async function load(path, signal) {
  const response = await fetch(path, { signal, cache: 'no-store' }).catch((error) => {
    if (signal.aborted) throw error;
    throw new Trouble('The server does not answer. Trying again …');
  });
  if (response.ok) return response;
  const answer = await response.json().catch(() => undefined);
  const reason = answer && answer.error ? answer.error.message : 'HTTP ' + response.status;
  if (response.status === 401 || response.status === 403) {
    throw new Trouble('A login is needed: ' + reason + '. With a token, add ?token=… to the address.');
  }
  const known = { 404: 'Nothing to play: ', 415: 'Cannot be played: ', 503: 'Nothing yet: ' }[response.status];
  throw new Trouble((known || 'The server refused: ') + reason + '. Trying again …');
}

/** Attributes of a tag: NAME=value,NAME="value". */
function attributes(line) {
  const found = {};
  for (const [, name, quoted, plain] of line.matchAll(/([A-Z-]+)=(?:"([^"]*)"|([^,]*))/g)) {
    found[name] = quoted === undefined ? plain : quoted;
  }
  return found;
}

async function readMultivariant(signal) {
  const lines = (await (await load(folder + 'index.m3u8' + suffix, signal)).text()).split('\n');
  const variant = lines.findIndex((line) => line.startsWith('#EXT-X-STREAM-INF:'));
  const leftOut = lines.find((line) => line.startsWith('# left out: '));
  return {
    uri: lines[variant + 1],
    codecs: attributes(lines[variant]).CODECS,
    note: leftOut === undefined ? '' : 'Without ' + leftOut.slice(12) + ': HLS has no form for it.',
  };
}

/** The playlist as one list of pieces: parts where it lists them, else whole segments. */
function readMedia(text) {
  const playlist = { pieces: [], holdBackS: 0, next: undefined };
  let sequence = 0;
  let map;
  let generation = 0;
  let parts = [];
  for (const line of text.split('\n')) {
    const value = line.slice(line.indexOf(':') + 1);
    if (line.startsWith('#EXT-X-MEDIA-SEQUENCE:')) sequence = Number(value);
    else if (line.startsWith('#EXT-X-DISCONTINUITY-SEQUENCE:')) generation = Number(value);
    else if (line === '#EXT-X-DISCONTINUITY') generation += 1;
    else if (line.startsWith('#EXT-X-SERVER-CONTROL:')) {
      playlist.holdBackS = Number(attributes(line)['PART-HOLD-BACK']);
    } else if (line.startsWith('#EXT-X-MAP:')) map = attributes(line).URI;
    else if (line.startsWith('#EXT-X-PART:')) {
      const { URI, DURATION, INDEPENDENT } = attributes(line);
      const independent = INDEPENDENT === 'YES';
      parts.push({ sequence, part: parts.length, uri: URI, map, generation, independent, durationS: Number(DURATION) });
    } else if (line.startsWith('#EXTINF:')) {
      const whole = { sequence, part: 0, uri: undefined, map, generation, independent: true, durationS: parseFloat(value) };
      playlist.pieces.push(...(parts.length > 0 ? parts : [whole]));
    } else if (line !== '' && !line.startsWith('#')) {
      if (parts.length === 0) playlist.pieces[playlist.pieces.length - 1].uri = line;
      parts = [];
      sequence += 1;
    }
  }
  playlist.pieces.push(...parts);
  playlist.next = '_HLS_msn=' + sequence + '&_HLS_part=' + parts.length;
  return playlist;
}

/** Where to begin: the last piece with a keyframe that lies the hold-back or more behind the end. */
function startOf({ pieces, holdBackS }) {
  const newest = pieces.length === 0 ? 0 : pieces[pieces.length - 1].generation;
  const first = pieces.findIndex(({ generation }) => generation === newest);
  let behindS = 0;
  let index = pieces.length;
  while (index > first) {
    index -= 1;
    behindS += pieces[index].durationS;
    if (pieces[index].independent && behindS >= holdBackS) break;
  }
  return index;
}

function isAfter(piece, last) {
  return piece.sequence > last.sequence || (piece.sequence === last.sequence && piece.part > last.part);
}

/** Leaves no listener behind: it is called with every part. */
function settled(target, good, signal) {
  const over = new AbortController();
  const options = { signal: over.signal };
  return new Promise((resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    target.addEventListener(good, resolve, options);
    target.addEventListener('error', () => reject(new Trouble('This browser cannot decode what came. Trying again …')), options);
    signal.addEventListener('abort', () => reject(signal.reason), options);
  }).finally(() => over.abort());
}

async function append(buffer, bytes, signal) {
  const done = settled(buffer, 'updateend', signal);
  buffer.appendBuffer(bytes);
  await done;
}

/** Old pictures go; where there is nothing at the current time, or it is far behind, it jumps. */
async function tidy(buffer, signal, holdBackS) {
  const ranges = buffer.buffered;
  if (ranges.length === 0) return;
  const start = ranges.start(ranges.length - 1);
  const end = ranges.end(ranges.length - 1);
  const now = video.currentTime;
  if (now < start - 0.05 || end - now > TOO_LATE_S) video.currentTime = Math.max(start, end - holdBackS);
  if (now - KEPT_S > ranges.start(0)) {
    const done = settled(buffer, 'updateend', signal);
    buffer.remove(0, now - KEPT_S / 2);
    await done;
  }
}

async function playWithMediaSource(signal) {
  const { uri, codecs, note } = await readMultivariant(signal);
  const type = 'video/mp4; codecs="' + codecs + '"';
  const Source = window.ManagedMediaSource || window.MediaSource;
  if (Source === undefined) throw new Trouble('This browser can neither play HLS nor be helped to.');
  if (!Source.isTypeSupported(type)) {
    // Chromium has MP3 in fMP4 in its own player only.
    if (video.canPlayType(HLS_TYPE) !== '' && video.canPlayType(type) !== '') return playNatively(signal);
    const missing = codecs.split(',').filter((codec) => !Source.isTypeSupported('video/mp4; codecs="' + codec + '"'));
    throw new Trouble('This browser does not decode ' + missing.join(', ') + '. Another browser, or a player such as VLC, may.');
  }
  const source = new Source();
  const opened = settled(source, 'sourceopen', signal);
  video.disableRemotePlayback = true;
  video.src = URL.createObjectURL(source);
  await opened;
  URL.revokeObjectURL(video.src);
  const buffer = source.addSourceBuffer(type);
  let last;
  let query = '';
  for (;;) {
    const glue = uri.includes('?') ? '&' : '?';
    const playlist = readMedia(await (await load(folder + uri + (query && glue + query), signal)).text());
    const first = playlist.pieces[0];
    if (last !== undefined && first !== undefined && first.sequence > last.sequence + 1) throw new Trouble('');
    const pieces = last === undefined
      ? playlist.pieces.slice(startOf(playlist))
      : playlist.pieces.filter((piece) => isAfter(piece, last));
    for (const piece of pieces) {
      // Other times, or another picture: begin anew.
      if (last !== undefined && piece.generation !== last.generation) throw new Trouble('');
      if (piece.map !== (last && last.map)) {
        await append(buffer, await (await load(folder + piece.map, signal)).arrayBuffer(), signal);
      }
      await append(buffer, await (await load(folder + piece.uri, signal)).arrayBuffer(), signal);
      await tidy(buffer, signal, playlist.holdBackS);
      last = piece;
      if (video.paused && !video.dataset.touched) video.play().catch(() => undefined);
      say(note);
    }
    query = playlist.next;
  }
}

/** Ends when the browser gives up. */
async function playNatively(signal) {
  await readMultivariant(signal).then(({ note }) => say(note));
  video.src = folder + 'index.m3u8' + suffix;
  video.play().catch(() => undefined);
  await settled(video, 'ended', signal);
  throw new Trouble('The stream has ended. Trying again …');
}

const isApple = /^Apple/.test(navigator.vendor) && video.canPlayType(HLS_TYPE) !== '';
const play = isApple ? playNatively : playWithMediaSource;

async function run() {
  let failures = 0;
  for (;;) {
    const attempt = new AbortController();
    video.addEventListener('playing', () => { failures = 0; }, { signal: attempt.signal });
    video.addEventListener('error', () => attempt.abort(new Trouble(
      'This browser cannot play what comes' + (video.error && video.error.message ? ' (' + video.error.message + ')' : '') + '. Trying again …',
    )), { signal: attempt.signal });
    let movedAt = performance.now();
    video.addEventListener('timeupdate', () => { movedAt = performance.now(); }, { signal: attempt.signal });
    const watch = setInterval(() => {
      if (video.paused && video.dataset.touched) movedAt = performance.now();
      if (performance.now() - movedAt > STUCK_MS) attempt.abort(new Trouble('Nothing comes. Trying again …'));
    }, 1000);
    try {
      await play(attempt.signal);
    } catch (error) {
      const cause = attempt.signal.aborted ? attempt.signal.reason : error;
      if (!(cause instanceof Trouble)) console.error(cause);
      say(cause instanceof Trouble ? cause.message : 'The player failed: ' + cause + '. Trying again …');
    }
    clearInterval(watch);
    attempt.abort();
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS[Math.min(failures, RETRY_MS.length - 1)]));
    failures += 1;
  }
}

/** Whoever pauses it means it. */
video.addEventListener('pause', () => { if (document.visibilityState === 'visible' && !video.ended) video.dataset.touched = 'yes'; });
video.addEventListener('play', () => { delete video.dataset.touched; });
run();
`;
