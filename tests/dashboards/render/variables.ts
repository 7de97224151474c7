// What Grafana fills in for variables.

import type { StoredDashboard } from "../stored";

export interface Range {
  from: number; // seconds since the epoch
  to: number;
  step: number;
}

export type Values = Record<string, string>;

/** What a variable is filled in with where all of its values are chosen. */
export const ALL = ".+";

const VARIABLE = /\$(?:\{(\w+)(?::\w+)?\}|(\w+))/g;

export function fillIn(text: string, values: Values): string {
  return text.replace(VARIABLE, (whole, braced, bare) => values[braced ?? bare] ?? whole);
}

/** The variables of a dashboard: what the page was asked for, and of the others all that there is. */
export function valuesOf(dashboard: StoredDashboard, asked: URLSearchParams, range: Range): Values {
  const values: Values = {
    __rate_interval: "15s",
    __range: `${range.to - range.from}s`,
  };
  for (const { name } of dashboard.templating?.list ?? []) {
    values[name] = asked.get(`var-${name}`) ?? ALL;
  }
  return values;
}
