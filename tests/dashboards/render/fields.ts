// Transformations and field options, as Grafana applies them before a panel is drawn. Their registries are filled by
// Grafana itself, which is not here; what they are filled with is.

import {
  applyFieldOverrides,
  cacheFieldDisplayNames,
  type DataFrame,
  type DataTransformerInfo,
  FieldConfigOptionsRegistry,
  type FieldConfigPropertyItem,
  type FieldConfigSource,
  type GrafanaTheme2,
  identityOverrideProcessor,
  standardTransformers,
  standardTransformersRegistry,
  thresholdsOverrideProcessor,
  transformDataFrame,
} from "@grafana/data";
import { lastValueFrom } from "rxjs";
import type { StoredPanel } from "./panel";

const STANDARD = ["unit", "decimals", "min", "max", "noValue", "mappings", "color", "links", "displayName"];

function option(path: string, isCustom: boolean, process: FieldConfigPropertyItem["process"]): FieldConfigPropertyItem {
  const nothing = () => null;
  const id = isCustom ? `custom.${path}` : path;
  return { id, path, isCustom, name: id, editor: nothing, override: nothing, process, shouldApply: () => true };
}

// Options of the kinds of panel themselves are taken as they come.
function customPaths({ fieldConfig }: StoredPanel): string[] {
  const overridden = fieldConfig.overrides.flatMap((override) => override.properties.map((property) => property.id));
  return [
    ...Object.keys(fieldConfig.defaults.custom ?? {}),
    ...overridden.filter((id) => id.startsWith("custom.")).map((id) => id.slice("custom.".length)),
  ];
}

function optionsOf(panel: StoredPanel): FieldConfigOptionsRegistry {
  return new FieldConfigOptionsRegistry(() => [
    ...STANDARD.map((path) => option(path, false, identityOverrideProcessor)),
    option("thresholds", false, thresholdsOverrideProcessor),
    ...[...new Set(customPaths(panel))].map((path) => option(path, true, identityOverrideProcessor)),
  ]);
}

// Some stand in the list under two names.
const transformers = new Map(
  (Object.values(standardTransformers) as DataTransformerInfo[]).map((info) => [info.id, info]),
);

standardTransformersRegistry.setInit(() =>
  [...transformers.values()].map((info) => ({
    id: info.id,
    name: info.name,
    transformation: () => Promise.resolve(info),
    editor: () => null,
    imageDark: "",
    imageLight: "",
  })),
);

/** The frames of the queries as the panel gets them. */
export async function prepare(frames: DataFrame[], panel: StoredPanel, theme: GrafanaTheme2): Promise<DataFrame[]> {
  for (const { id } of panel.transformations ?? []) {
    if (!transformers.has(id)) throw new Error(`no transformation ${id}`);
  }
  const context = { interpolate: (text: string) => text };
  const prepared = applyFieldOverrides({
    data: await lastValueFrom(transformDataFrame(panel.transformations ?? [], frames, context)),
    fieldConfig: panel.fieldConfig as FieldConfigSource,
    fieldConfigRegistry: optionsOf(panel),
    replaceVariables: (text) => text,
    theme,
    timeZone: "utc",
  });
  cacheFieldDisplayNames(prepared);
  return prepared;
}
