// A panel of a dashboard, drawn by the component that Grafana draws it with.

import {
  type DataFrame,
  dateTime,
  type FieldConfig,
  type FieldConfigSource,
  type FieldDisplay,
  getFieldDisplayValues,
  type GrafanaTheme2,
  type TimeRange,
  VizOrientation,
} from "@grafana/data";
import type { BarGaugeDisplayMode, BarGaugeNamePlacement, BarGaugeValueMode, VizLegendOptions } from "@grafana/schema";
import {
  BarGauge,
  BigValue,
  type BigValueColorMode,
  type BigValueGraphMode,
  type BigValueTextMode,
  TimeSeries,
  VizRepeater,
} from "@grafana/ui";
import { TableNG } from "@grafana/ui/unstable";
import type { ReactElement } from "react";
import type { Target } from "./prometheus";
import type { Range } from "./variables";

export interface StoredPanel {
  id: number;
  type: string;
  title: string;
  description?: string;
  gridPos: { x: number; y: number; w: number; h: number };
  targets: Target[];
  transformations?: Array<{ id: string; options: Record<string, unknown> }>;
  fieldConfig: {
    defaults: FieldConfig;
    overrides: Array<{
      matcher: { id: string; options?: unknown };
      properties: Array<{ id: string; value?: unknown }>;
    }>;
  };
  // Whose form depends on the type.
  options: Record<string, any>;
}

interface Drawing {
  panel: StoredPanel;
  frames: DataFrame[];
  range: Range;
  theme: GrafanaTheme2;
  width: number;
  height: number;
}

function displayValues({ panel, frames, theme }: Drawing, sparkline: boolean): FieldDisplay[] {
  return getFieldDisplayValues({
    data: frames,
    reduceOptions: panel.options.reduceOptions,
    fieldConfig: panel.fieldConfig as FieldConfigSource,
    replaceVariables: (text) => text,
    sparkline,
    theme,
    timeZone: "utc",
  });
}

function timeRange({ from, to }: Range): TimeRange {
  const [start, end] = [dateTime(from * 1000), dateTime(to * 1000)];
  return { from: start, to: end, raw: { from: start, to: end } };
}

function drawStat(drawing: Drawing): ReactElement {
  const { options } = drawing.panel;
  const [value] = displayValues(drawing, options.graphMode !== "none");
  return (
    <BigValue
      value={value.display}
      sparkline={value.sparkline}
      colorMode={options.colorMode as BigValueColorMode}
      graphMode={options.graphMode as BigValueGraphMode}
      textMode={options.textMode as BigValueTextMode}
      theme={drawing.theme}
      width={drawing.width}
      height={drawing.height}
    />
  );
}

function drawBars(drawing: Drawing): ReactElement {
  const { options } = drawing.panel;
  return (
    <VizRepeater
      source={drawing.frames}
      getValues={() => displayValues(drawing, false)}
      renderValue={({ value, width, height }) => (
        <BarGauge
          value={value.display}
          field={value.field}
          orientation={VizOrientation.Horizontal}
          displayMode={options.displayMode as BarGaugeDisplayMode}
          valueDisplayMode={options.valueMode as BarGaugeValueMode}
          namePlacement={options.namePlacement as BarGaugeNamePlacement}
          showUnfilled={options.showUnfilled}
          theme={drawing.theme}
          width={width}
          height={height}
        />
      )}
      renderCounter={0}
      orientation={VizOrientation.Horizontal}
      itemSpacing={10}
      minVizHeight={options.minVizHeight}
      maxVizHeight={options.maxVizHeight}
      width={drawing.width}
      height={drawing.height}
    />
  );
}

function drawTable({ panel, frames, width, height }: Drawing): ReactElement {
  return (
    <TableNG
      data={frames[0]}
      sortBy={panel.options.sortBy}
      cellHeight={panel.options.cellHeight}
      noValue={panel.fieldConfig.defaults.noValue}
      enableVirtualization={false}
      width={width}
      height={height}
    />
  );
}

function drawTimeSeries({ panel, frames, range, width, height }: Drawing): ReactElement {
  return (
    <TimeSeries
      frames={frames}
      legend={panel.options.legend as VizLegendOptions}
      timeRange={timeRange(range)}
      timeZone="utc"
      width={width}
      height={height}
    />
  );
}

// What Grafana shows in the place of a panel that has nothing to draw.
function drawNothing({ panel, width, height }: Drawing): ReactElement {
  const message = panel.fieldConfig.defaults.noValue ?? "No data";
  return <div style={{ width, height, display: "grid", placeItems: "center", opacity: 0.7 }}>{message}</div>;
}

const DRAWERS: Record<string, (drawing: Drawing) => ReactElement> = {
  stat: drawStat,
  bargauge: drawBars,
  table: drawTable,
  timeseries: drawTimeSeries,
};

export function hasData(frames: DataFrame[]): boolean {
  return frames.some((frame) => frame.length > 0);
}

export function draw(drawing: Drawing): ReactElement {
  const drawer = DRAWERS[drawing.panel.type];
  if (drawer === undefined) throw new Error(`no component for panels of type ${drawing.panel.type}`);
  // A stat draws its noValue itself.
  return hasData(drawing.frames) || drawing.panel.type === "stat" ? drawer(drawing) : drawNothing(drawing);
}
