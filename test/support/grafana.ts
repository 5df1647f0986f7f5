/** What a Grafana dashboard asks Prometheus for. */

export interface Dashboard {
  readonly panels: readonly {
    readonly id: number;
    readonly title: string;
    readonly gridPos: {
      readonly x: number;
      readonly y: number;
      readonly w: number;
      readonly h: number;
    };
    readonly targets?: readonly { readonly expr: string }[];
  }[];
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly definition?: string }[];
  };
}

/** Of panels, and of variables: `label_values(what, label)` asks for `what`. */
export function dashboardQueries({ panels, templating }: Dashboard): string[] {
  const expressions = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  const variables = templating.list.flatMap(({ definition }) => {
    const asked = /^label_values\((.*), \w+\)$/.exec(definition ?? '')?.[1];
    return asked === undefined ? [] : [asked];
  });
  return [...expressions, ...variables];
}

export function metricsAsked(query: string): string[] {
  return Array.from(query.matchAll(/\b(?:sluice|process)_\w+/g), ([name]) => name);
}

/** With the metric that has to have it. */
export function labelsAsked(query: string): [metric: string, label: string][] {
  return Array.from(query.matchAll(/\b((?:sluice|process)_\w+)\{([^}]*)\}/g)).flatMap(
    ([, metric = '', selector = '']) =>
      Array.from(selector.matchAll(/(\w+)(?:=~|!~|!=|=)"/g), ([, label = '']): [string, string] => [
        metric,
        label,
      ]),
  );
}

/** As Prometheus sees it: Grafana has put values in the place of its variables. */
export function withValues(query: string): string {
  return query.replaceAll('$__rate_interval', '2m').replace(/\$\w+/g, '.*');
}
