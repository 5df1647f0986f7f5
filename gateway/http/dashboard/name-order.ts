/** Names in the order in which people count them: cam-2 before cam-10. */
export const byName = new Intl.Collator('en', { numeric: true }).compare;
