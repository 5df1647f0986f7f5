/** Debian's Chromium without a window, as a viewer. */
import { type Browser, chromium, type Page } from 'playwright-core';

/** Where Debian puts it. */
const CHROMIUM = '/usr/bin/chromium';
const LAUNCH_TIMEOUT_MS = 60_000;

export interface VideoState {
  readonly currentTime: number;
  readonly frames: number;
  readonly width: number;
  /** What the page says. */
  readonly words: string;
}

/** CI runs as root, for whom Chromium has no sandbox; what it opens is our own page. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox'],
    timeout: LAUNCH_TIMEOUT_MS,
  });
}

/** A page, and all that went wrong in it. `files`: by their paths, what is answered in place of the server at this origin. */
export async function openPage(
  browser: Browser,
  url: string,
  files: Readonly<Record<string, string>> = {},
): Promise<{ page: Page; troubles: string[] }> {
  const page = await browser.newPage();
  for (const [path, body] of Object.entries(files)) {
    const contentType = path.endsWith('.js') ? 'text/javascript' : 'text/html';
    await page.route(`**${path}`, (route) => route.fulfill({ contentType, body }));
  }
  const troubles: string[] = [];
  page.on('pageerror', (error) => troubles.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') troubles.push(message.text());
  });
  await page.goto(url);
  return { page, troubles };
}

/** What the first video of the page shows. Text, because it runs in the browser. */
export function videoState(page: Page): Promise<VideoState> {
  return page.evaluate(`(() => {
    const video = document.querySelector('video');
    const { totalVideoFrames, droppedVideoFrames } = video.getVideoPlaybackQuality();
    return {
      currentTime: video.currentTime,
      frames: totalVideoFrames - droppedVideoFrames,
      width: video.videoWidth,
      words: document.querySelector('[role=status]')?.textContent ?? '',
    };
  })()`);
}
