/**
 * Why something is as it is: the cause in the page's language, and what the gateway says of it (English, with what to do). That it is
 * gone the page itself says.
 */
import { causeWords } from '../cause-words.ts';
import { language } from '../words.ts';

export function Reason({ code, reason }: { readonly code: string; readonly reason: string }) {
  if (language.value === 'en' || code === 'gateway-gone')
    return <span class="reason">{reason}</span>;
  return (
    <span class="reason">
      {causeWords(code)}
      {reason !== '' && (
        <>
          {' '}
          <span class="muted" lang="en">
            {reason}
          </span>
        </>
      )}
    </span>
  );
}
