/** A gateway that only reports, in a process of its own, to be killed: `reporter-process.js URL`. */
import { makeReporting, streamStatus } from './reporting.ts';

const { board, reporter } = makeReporting({ url: process.argv[2] });
board.setStreamStatus('front', streamStatus());
await reporter.start();
setInterval(() => {}, 1_000);
