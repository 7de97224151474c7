// Draws one dashboard with Grafana's components, over the data of a Prometheus. What Grafana's server and its frame
// around the panels do is left out: variables to choose from, tooltips, annotations.
// Parameters: dashboard, prometheus (a URL), from, to (seconds), step, width, theme, var-NAME.
// When everything is drawn, the title is "drawn" and window.emptyPanels has the titles of the panels without data; when
// something fails, the title is "failed: " and why.

import { createTheme, type DataFrame, ThemeContext } from "@grafana/data";
import { GlobalStyles, PanelChrome, PortalContainer } from "@grafana/ui";
import type { ReactElement } from "react";
import { createRoot } from "react-dom/client";
import type { StoredDashboard } from "../stored";
import { prepare } from "./fields";
import { draw, hasData, type StoredPanel } from "./panel";
import { query } from "./prometheus";
import { ALL, type Range, type Values, valuesOf } from "./variables";

const asked = new URLSearchParams(location.search);
const theme = createTheme({ colors: { mode: asked.get("theme") === "light" ? "light" : "dark" } });
const range: Range = {
  from: Number(asked.get("from")),
  to: Number(asked.get("to")),
  step: Number(asked.get("step")),
};

// Grafana's grid: 24 columns, rows of 30 pixels, 8 pixels between.
const COLUMNS = 24;
const ROW = 30;
const GAP = 8;
const MARGIN = 16;
const pageWidth = Number(asked.get("width"));
const column = (pageWidth - 2 * MARGIN + GAP) / COLUMNS;

function place({ x, y, w, h }: StoredPanel["gridPos"]) {
  return {
    left: MARGIN + x * column,
    top: MARGIN + y * (ROW + GAP),
    width: w * column - GAP,
    height: h * (ROW + GAP) - GAP,
  };
}

// What stands in Grafana's frame: the title, and what has been chosen.
const HEADER = 48;

function Header({ dashboard, values }: { dashboard: StoredDashboard; values: Values }): ReactElement {
  const chosen = (dashboard.templating?.list ?? [])
    .filter(({ type }) => type === "query")
    .map(({ name, label }) => `${label}: ${values[name] === ALL ? "All" : values[name]}`);
  return (
    <div style={{ height: HEADER, padding: `${MARGIN}px ${MARGIN}px 0`, display: "flex", alignItems: "baseline" }}>
      <span style={{ fontSize: 22, fontWeight: 500, marginRight: 40 }}>{dashboard.title}</span>
      <span style={{ opacity: 0.7, whiteSpace: "pre" }}>{chosen.join("        ")}</span>
    </div>
  );
}

function Row({ panel }: { panel: StoredPanel }): ReactElement {
  return (
    <div style={{ position: "absolute", ...place(panel.gridPos), fontSize: 18, fontWeight: 500 }}>{panel.title}</div>
  );
}

function Panel({ panel, frames }: { panel: StoredPanel; frames: DataFrame[] }): ReactElement {
  const { left, top, width, height } = place(panel.gridPos);
  return (
    <div style={{ position: "absolute", left, top, width, height }}>
      <PanelChrome title={panel.title} description={panel.description} width={width} height={height}>
        {(innerWidth, innerHeight) => draw({ panel, frames, range, theme, width: innerWidth, height: innerHeight })}
      </PanelChrome>
    </div>
  );
}

const emptyPanels: string[] = [];

async function load(): Promise<ReactElement> {
  const dashboard: StoredDashboard = await (await fetch(`dashboards/${asked.get("dashboard")}.json`)).json();
  const values = valuesOf(dashboard, asked, range);
  const panels = (dashboard.panels ?? []) as unknown as StoredPanel[];
  const server = asked.get("prometheus") ?? "";
  const drawn = await Promise.all(
    panels.map(async (panel) => {
      if (panel.type === "row") return <Row key={panel.id} panel={panel} />;
      const frames = await prepare(await query(server, panel.targets, values, range), panel, theme);
      if (!hasData(frames)) emptyPanels.push(panel.title);
      return <Panel key={panel.id} panel={panel} frames={frames} />;
    }),
  );
  return (
    <>
      <Header dashboard={dashboard} values={values} />
      <div style={{ position: "relative", width: pageWidth }}>{drawn}</div>
    </>
  );
}

function fail(reason: unknown): void {
  document.title = `failed: ${reason}`;
}

// Plots are drawn in the frames after the one that has made their panels, and icons are loaded one by one.
const FRAMES = 30;

function tellWhenDrawn(frames = FRAMES): void {
  if (document.title.startsWith("failed")) return;
  if (frames === 0) document.title = "drawn";
  else requestAnimationFrame(() => tellWhenDrawn(frames - 1));
}

addEventListener("error", (event) => fail(event.message));
addEventListener("unhandledrejection", (event) => fail(event.reason));
Object.assign(window, { __grafana_public_path__: "./", emptyPanels });

load().then((page) => {
  createRoot(document.getElementById("root")!, { onUncaughtError: fail }).render(
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      {page}
      <PortalContainer />
    </ThemeContext.Provider>,
  );
  tellWhenDrawn();
});
