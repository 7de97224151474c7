// A dashboard as it is stored: @grafana/schema's, in which an enumeration is the text of its value.

import type { AnnotationQuery, Dashboard } from "@grafana/schema";

type Stored<T> = T extends string ? `${T}` : T extends object ? { [K in keyof T]: Stored<T[K]> } : T;

// What Grafana's data source for Prometheus looks for beside it.
interface PrometheusAnnotation extends Stored<AnnotationQuery> {
  expr: string;
  step?: string;
  titleFormat?: string;
  tagKeys?: string;
  useValueForTime?: "on" | false;
}

export type StoredDashboard = Omit<Stored<Dashboard>, "annotations"> & {
  annotations: { list: PrometheusAnnotation[] };
};
