/** Somebody who looks: the web page's files, its MQTT over WebSocket with everything subscribed, the API, and a Prometheus. */
import { connect } from 'mqtt';

const [port = ''] = process.argv.slice(2);
const origin = `http://127.0.0.1:${port}`;
/** Prometheus' usual one is 15 s to a minute. */
const SCRAPE_MS = 15_000;
const API_MS = 10_000;

let messages = 0;
const client = connect(`ws://127.0.0.1:${port}/mqtt`, { protocolVersion: 4 });
client.on('connect', () => client.subscribe('sluice/#'));
client.on('message', () => {
  messages += 1;
});
client.on('error', (error) => process.stderr.write(`${error}\n`));

async function fetchAll(...paths: string[]): Promise<void> {
  for (const path of paths) {
    const response = await fetch(`${origin}${path}`);
    const { length } = await response.text();
    if (!response.ok || length === 0) throw new Error(`${path}: HTTP ${response.status}`);
  }
}

const page = await (await fetch(`${origin}/`)).text();
const files = Array.from(page.matchAll(/(?:src|href)="\.\/([^"]+)"/g), ([, file]) => `/${file}`);
if (files.length < 2) throw new Error('the page names no files');
await fetchAll(...files);
setInterval(() => void fetchAll('/metrics'), SCRAPE_MS);
setInterval(() => void fetchAll('/api/v1/streams', '/api/v1/publish'), API_MS);
setInterval(() => process.stderr.write(`${messages} messages\n`), API_MS);
