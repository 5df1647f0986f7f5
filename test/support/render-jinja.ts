/** Debian's Jinja, which is what Home Assistant's templates are. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

export interface Rendering {
  readonly template: string;
  /** As the topic carries it; for the template of a command, what was picked. */
  readonly payload: string;
}

/** What each comes to. A template that names something that is not there throws. */
export function renderJinja(renderings: readonly Rendering[]): string[] {
  const program = join(process.cwd(), 'test/support/render-jinja.py');
  const input = JSON.stringify(renderings);
  return JSON.parse(execFileSync('python3', [program], { input, encoding: 'utf8' })) as string[];
}
