/** Said above what is shown of a gateway that is not there. */
import type { GatewayModel } from '../model.ts';
import { wordsOf } from '../words.ts';

const t = wordsOf({
  en: { gone: 'The gateway {gateway} is not connected: what is shown is what it said last.' },
  zh: { gone: '网关 {gateway} 未连接：显示的是它最后报告的内容。' },
});

export function GatewayGone({ gateway }: { readonly gateway: GatewayModel }) {
  if (gateway.absence.value === undefined) return null;
  return (
    <p class="notice notice-warn" role="status">
      {t('gone', { gateway: gateway.id })}
    </p>
  );
}
