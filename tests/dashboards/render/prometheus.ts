// What a panel's queries find, as the data frames that Grafana's data source for Prometheus makes of it.

import { type DataFrame, FieldType, type Labels, toDataFrame } from "@grafana/data";
import { fillIn, type Range, type Values } from "./variables";

export interface Target {
  refId: string;
  expr: string;
  legendFormat: string;
  instant: boolean;
  format?: "table";
}

type Sample = [seconds: number, value: string];

interface Series {
  metric: Labels;
  value?: Sample;
  values?: Sample[];
}

async function ask(server: string, path: string, parameters: Record<string, string>): Promise<Series[]> {
  const reply = await fetch(`${server}/api/v1/${path}?${new URLSearchParams(parameters)}`);
  const answer = await reply.json();
  if (answer.status !== "success") throw new Error(`${parameters.query}: ${answer.error}`);
  return answer.data.result;
}

function legend(format: string, labels: Labels): string {
  return format.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, label) => labels[label] ?? "");
}

// A step without a sample is a gap.
function onEachStep(samples: Sample[], range: Range): [times: number[], values: (number | null)[]] {
  const found = new Map(samples.map(([seconds, value]) => [seconds, Number(value)]));
  const times: number[] = [];
  for (let time = range.from; time <= range.to; time += range.step) times.push(time);
  return [times.map((time) => time * 1000), times.map((time) => found.get(time) ?? null)];
}

function seriesFrame(target: Target, series: Series, range: Range): DataFrame {
  const [times, values] = series.values
    ? onEachStep(series.values, range)
    : [[series.value![0] * 1000], [Number(series.value![1])]];
  const config = { displayNameFromDS: legend(target.legendFormat, series.metric) };
  return toDataFrame({
    refId: target.refId,
    fields: [
      { name: "Time", type: FieldType.time, values: times },
      { name: "Value", type: FieldType.number, values, labels: series.metric, config },
    ],
  });
}

function tableFrame(target: Target, found: Series[], valueName: string): DataFrame {
  const labels = [...new Set(found.flatMap((series) => Object.keys(series.metric)))].sort();
  return toDataFrame({
    refId: target.refId,
    fields: [
      { name: "Time", type: FieldType.time, values: found.map((series) => series.value![0] * 1000) },
      ...labels.map((label) => ({
        name: label,
        type: FieldType.string,
        values: found.map((series) => series.metric[label] ?? ""),
      })),
      { name: valueName, type: FieldType.number, values: found.map((series) => Number(series.value![1])) },
    ],
  });
}

async function framesOf(server: string, target: Target, values: Values, range: Range, valueName: string) {
  const query = fillIn(target.expr, values);
  const found = target.instant
    ? await ask(server, "query", { query, time: `${range.to}` })
    : await ask(server, "query_range", { query, start: `${range.from}`, end: `${range.to}`, step: `${range.step}` });
  if (target.format === "table") return found.length > 0 ? [tableFrame(target, found, valueName)] : [];
  return found.map((series) => seriesFrame(target, series, range));
}

/** All frames of a panel, in the order of its queries. */
export async function query(server: string, targets: Target[], values: Values, range: Range): Promise<DataFrame[]> {
  const valueName = (target: Target) => (targets.length > 1 ? `Value #${target.refId}` : "Value");
  const answers = targets.map((target) => framesOf(server, target, values, range, valueName(target)));
  return (await Promise.all(answers)).flat();
}
