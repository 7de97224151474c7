// Panels and dashboards in the form that Grafana stores them: no more of its schema than these dashboards use.
local datasource = { type: 'prometheus', uid: '${datasource}' };

local refIds = std.stringChars('ABCDEFGHIJKLMNOPQRSTUVWXYZ');

local oneLine(text) = std.strReplace(std.stripChars(text, '\n '), '\n', ' ');

// A panel knows its size in columns (of 24) and rows (of 30 pixels); a dashboard gives it its place.
local panel(type, title, description, width, height, queries) = {
  size:: { w: width, h: height },
  type: type,
  title: title,
  description: oneLine(description),
  datasource: datasource,
  targets: std.mapWithIndex(function(index, query) query { refId: refIds[index] }, queries),
};

local withFieldConfig(defaults, overrides) = { fieldConfig: { defaults: defaults, overrides: overrides } };

local override(matcher, options, properties) = {
  matcher: { id: matcher, options: options },
  properties: [{ id: id, value: properties[id] } for id in std.objectFields(properties)],
};

local step(color, value) = { color: color, value: value };

// Left to right, and on a new line where the width is used up.
local place(panels, top) =
  std.foldl(
    function(state, next)
      local size = next.size;
      local wraps = state.x + size.w > 24;
      local x = if wraps then 0 else state.x;
      local y = if wraps then state.bottom else state.y;
      {
        x: x + size.w,
        y: y,
        bottom: std.max(if wraps then 0 else state.bottom, y + size.h),
        placed: state.placed + [next { gridPos: { x: x, y: y, w: size.w, h: size.h } }],
      },
    panels,
    { x: 0, y: top, bottom: top, placed: [] }
  );

local placeSections(sections) =
  local done = std.foldl(
    function(state, section)
      local row = {
        type: 'row',
        title: section.title,
        collapsed: false,
        panels: [],
        gridPos: { x: 0, y: state.bottom, w: 24, h: 1 },
      };
      local below = place(section.panels, state.bottom + 1);
      { bottom: below.bottom, placed: state.placed + [row] + below.placed },
    sections,
    { bottom: 0, placed: [] }
  );
  std.mapWithIndex(function(index, each) each { id: index + 1 }, done.placed);

{
  // Values over time; `legend` names each series.
  query(expr, legend):: {
    datasource: datasource,
    expr: expr,
    legendFormat: legend,
    range: true,
    instant: false,
    editorMode: 'code',
  },

  // Values of now.
  instant(expr, legend=''):: $.query(expr, legend) { range: false, instant: true },

  // Values of now with their labels as columns.
  rows(expr):: $.instant(expr) { format: 'table' },

  thresholds(steps, base='green'):: {
    mode: 'absolute',
    steps: [step(base, null)] + [step(each[0], each[1]) for each in steps],
  },

  // Colours of a ratio that is bad when it is high.
  ratioThresholds(warning, critical):: $.thresholds([['orange', warning], ['red', critical]]),

  // Nothing is good here but 0.
  zeroThresholds(color='red'):: $.thresholds([[color, 0.000001]]),

  noThresholds:: $.thresholds([]),

  fixed(color):: { mode: 'fixed', fixedColor: color },

  // One number. Options: width, height, unit, decimals, thresholds, noValue and its colour noValueColor, links.
  stat(title, description, query, options={})::
    local noValue = std.get(options, 'noValue', 'no data');
    panel(
      'stat',
      title,
      description,
      std.get(options, 'width', 4),
      std.get(options, 'height', 4),
      [query]
    )
    + withFieldConfig(
      {
        unit: std.get(options, 'unit', 'short'),
        min: 0,
        [if std.get(options, 'unit', 'short') == 'percentunit' then 'max']: 1,
        // A number that is neither good nor bad has no thresholds and is blue.
        color: if std.objectHas(options, 'thresholds') then { mode: 'thresholds' } else $.fixed('blue'),
        thresholds: std.get(options, 'thresholds', $.noThresholds),
        noValue: noValue,
        mappings: $.absent(noValue, std.get(options, 'noValueColor', 'text')).mappings,
        [if std.objectHas(options, 'decimals') then 'decimals']: options.decimals,
      }, []
    )
    + {
      links: std.get(options, 'links', []),
      options: {
        reduceOptions: { values: false, calcs: ['lastNotNull'], fields: '' },
        orientation: 'auto',
        textMode: 'value',
        colorMode: 'value',
        graphMode: if query.range then 'area' else 'none',
        justifyMode: 'auto',
      },
    },

  // Lines over time, or areas on top of each other with `stacked`.
  // Options: width, height, unit, stacked, min, max, thresholds (dashed lines), overrides, noValue, links, placement.
  timeseries(title, description, queries, options={})::
    local stacked = std.get(options, 'stacked', false);
    panel(
      'timeseries',
      title,
      description,
      std.get(options, 'width', 12),
      std.get(options, 'height', 8),
      queries
    )
    + withFieldConfig(
      {
        unit: std.get(options, 'unit', 'short'),
        color: { mode: 'palette-classic' },
        noValue: std.get(options, 'noValue', 'no data'),
        min: std.get(options, 'min', 0),
        [if std.objectHas(options, 'max') then 'max']: options.max,
        custom: {
          drawStyle: 'line',
          lineWidth: 1,
          fillOpacity: if stacked then 60 else 0,
          // So that an axis of nothing but zeros ends at 1.
          [if std.member(['cps', 'ops', 'short'], std.get(options, 'unit', 'short')) then 'axisSoftMax']: 1,
          showPoints: 'never',
          spanNulls: false,
          stacking: { mode: if stacked then 'normal' else 'none', group: 'A' },
          thresholdsStyle: { mode: if std.objectHas(options, 'thresholds') then 'dashed' else 'off' },
        },
        thresholds: std.get(options, 'thresholds', $.noThresholds),
      },
      std.get(options, 'overrides', [])
    )
    + {
      links: std.get(options, 'links', []),
      options: {
        legend: {
          displayMode: 'list',
          placement: std.get(options, 'placement', 'bottom'),
          showLegend: true,
          calcs: [],
        },
        tooltip: { mode: 'multi', sort: 'desc' },
      },
    },

  // Rows of several queries, put together by the labels that they share. `columns` are
  // [name of the field, title, further field options], from left to right; others are left out.
  // Options: width, height, noValue, links, sortBy (a title), ascending.
  table(title, description, queries, columns, options={})::
    panel(
      'table',
      title,
      description,
      std.get(options, 'width', 24),
      std.get(options, 'height', 8),
      queries
    )
    + withFieldConfig(
      {
        noValue: std.get(options, 'noValue', 'none'),
        color: { mode: 'thresholds' },
        thresholds: $.noThresholds,
        custom: { align: 'auto', cellOptions: { type: 'auto' }, filterable: false },
      },
      [$.byName(column[1], column[2]) for column in columns if std.length(column) > 2]
    )
    + {
      links: std.get(options, 'links', []),
      options: {
        showHeader: true,
        cellHeight: 'sm',
        [if std.objectHas(options, 'sortBy') then 'sortBy']: [
          { displayName: options.sortBy, desc: !std.get(options, 'ascending', false) },
        ],
      },
      transformations: [
        { id: 'merge', options: {} },
        { id: 'filterFieldsByName', options: { include: { names: [column[0] for column in columns] } } },
        {
          id: 'organize',
          options: {
            excludeByName: {},
            indexByName: { [columns[index][0]]: index for index in std.range(0, std.length(columns) - 1) },
            renameByName: { [column[0]]: column[1] for column in columns },
          },
        },
      ],
    },

  // A bar for each query's value. Options: width, height, unit, color, thresholds, max, noValue, links.
  bargauge(title, description, queries, options={})::
    panel(
      'bargauge',
      title,
      description,
      std.get(options, 'width', 8),
      std.get(options, 'height', 8),
      queries
    )
    + withFieldConfig(
      {
        unit: std.get(options, 'unit', 'short'),
        min: 0,
        [if std.objectHas(options, 'max') then 'max']: options.max,
        color: std.get(options, 'color', { mode: 'thresholds' }),
        thresholds: std.get(options, 'thresholds', $.noThresholds),
        noValue: std.get(options, 'noValue', 'no data'),
      }, []
    )
    + {
      links: std.get(options, 'links', []),
      options: {
        reduceOptions: { values: false, calcs: ['lastNotNull'], fields: '' },
        orientation: 'horizontal',
        displayMode: 'gradient',
        valueMode: 'color',
        namePlacement: 'auto',
        showUnfilled: true,
        sizing: 'auto',
        minVizWidth: 8,
        minVizHeight: 16,
        maxVizHeight: 300,
      },
    },

  // What a field or series of that name has of its own: `properties` by their path.
  byName(name, properties):: override('byName', name, properties),
  byRegexp(pattern, properties):: override('byRegexp', pattern, properties),

  inColor(name, color):: $.byName(name, { color: $.fixed(color) }),

  // A limit beside the values: dashed, and never on top of them.
  limitLine(name):: $.byName(name, {
    color: $.fixed('red'),
    'custom.lineStyle': { fill: 'dash', dash: [8, 6] },
    'custom.fillOpacity': 0,
    'custom.stacking': { mode: 'none', group: 'limit' },
  }),

  // Options of a table's column.
  width(pixels):: { 'custom.width': pixels },
  count(pixels):: { decimals: 0, 'custom.width': pixels },
  ratioColumn(thresholds):: {
    unit: 'percentunit',
    decimals: 0,
    min: 0,
    max: 1,
    thresholds: thresholds,
    'custom.cellOptions': { type: 'gauge', mode: 'basic', valueDisplayMode: 'text' },
  },
  colouredColumn(thresholds, more={}):: {
    thresholds: thresholds,
    'custom.cellOptions': { type: 'color-text' },
  } + more,
  // What is shown where there is no value: no colour of the thresholds, for which it would be a low one.
  absent(text, color='text'):: {
    mappings: [{ type: 'special', options: { match: 'null+nan', result: { text: text, color: color, index: 0 } } }],
  },
  severityColumn:: {
    'custom.width': 100,
    'custom.cellOptions': { type: 'color-text' },
    mappings: [{ type: 'value', options: {
      critical: { color: 'red', index: 0 },
      warning: { color: 'orange', index: 1 },
      info: { color: 'blue', index: 2 },
    } }],
  },
  linkColumn(title, url, more={}):: { links: [{ title: title, url: url }] } + more,

  link(title, url):: {
    type: 'link',
    title: title,
    url: url,
    targetBlank: true,
    icon: 'doc',
    tooltip: '',
    tags: [],
    asDropdown: false,
    includeVars: false,
    keepTime: false,
  },

  section(title, panels):: { title: title, panels: panels },

  variables:: {
    datasource: {
      type: 'datasource',
      name: 'datasource',
      label: 'Data source',
      query: 'prometheus',
      regex: '',
      hide: 0,
    },

    // Values of a label, asked for again when the time range changes.
    labelValues(name, label, metric, labelName):: {
      type: 'query',
      name: name,
      label: label,
      datasource: datasource,
      query: { query: 'label_values(%s, %s)' % [metric, labelName], refId: name },
      regex: '',
      sort: 1,
      refresh: 2,
      hide: 0,
    },

    several: { multi: true, includeAll: true, allValue: '.+', current: { text: 'All', value: '$__all' } },
    one: { multi: false, includeAll: false },
  },

  annotation(name, expr, color, title):: {
    name: name,
    datasource: datasource,
    enable: true,
    iconColor: color,
    expr: expr,
    titleFormat: title,
    // The value is the time, in milliseconds.
    useValueForTime: 'on',
    step: '60s',
  },

  // Options: title, uid, description, tags, refresh, variables, annotations, links, sections.
  dashboard(options):: {
    uid: options.uid,
    title: options.title,
    description: options.description,
    tags: options.tags,
    editable: false,
    schemaVersion: 39,
    graphTooltip: 1,
    timezone: 'browser',
    refresh: options.refresh,
    time: { from: 'now-1h', to: 'now' },
    timepicker: {},
    version: 1,
    weekStart: '',
    fiscalYearStartMonth: 0,
    liveNow: false,
    templating: { list: options.variables },
    annotations: { list: options.annotations },
    links: options.links,
    panels: placeSections(options.sections),
  },
}
