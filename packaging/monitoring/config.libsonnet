// What an installation may want to change. README.md has the reasons for the numbers.
{
  _config+:: {
    // Selects the exporter's targets; may be empty.
    timewaitExporterSelector: 'job="timewait"',

    // Where the pages are; %s is the alert's name.
    runbookURLPattern: 'https://example.com/timewait_exporter/docs/runbooks/%s.md',
    // Where Grafana is; %s is the dashboard's uid.
    dashboardURLPattern: 'https://grafana.example.com/d/%s',

    // Of each alert: its severity, and for how long its condition has to hold. Ratios are 0 to 1. A window has
    // to cover two scrapes and two polls at least.
    alerts: {
      // Connects that failed within the window.
      TimewaitConnectFailures: { severity: 'critical', 'for': '0s', threshold: 0, window: '5m' },
      TimewaitConnectPortsExhausted: { severity: 'critical', 'for': '0s', threshold: 1, window: '5m' },
      TimewaitConnectPortsNearlyExhausted: { severity: 'warning', 'for': '3m', threshold: 0.8, window: '2m' },
      // A tuple above the threshold whose trend, over both windows, has it exhausted within the horizon.
      TimewaitConnectPortsExhaustionPredicted: {
        severity: 'warning',
        'for': '6m',
        threshold: 0.4,
        window: '20m',
        shortWindow: '5m',
        horizon: '1h',
      },
      TimewaitConnectPreferredPortsExhausted: { severity: 'warning', 'for': '10m', threshold: 1, window: '5m' },
      TimewaitBindPortsNearlyExhausted: { severity: 'warning', 'for': '3m', threshold: 0.8, window: '2m' },
      TimewaitServerQuadrupletsNearlyExhausted: { severity: 'warning', 'for': '3m', threshold: 0.8, window: '2m' },
      TimewaitEphemeralPortsBlocked: { severity: 'warning', 'for': '10m', threshold: 0.25, window: '5m' },
      // Ports that would be held without TIME-WAIT reuse, and those that are: while it works, never more than half.
      TimewaitConnectDependsOnTimeWaitReuse: {
        severity: 'info',
        'for': '10m',
        threshold: 0.8,
        heldThreshold: 0.4,
        window: '2m',
        reuseWindow: '5m',
      },
      // Ports that are held, and which share of the reusable ones has to be taken over within the window.
      TimewaitTimeWaitReuseNotHappening: {
        severity: 'warning',
        'for': '5m',
        threshold: 0.8,
        window: '2m',
        reuseWindow: '5m',
        share: 0.1,
      },
      TimewaitBucketLimitNear: { severity: 'warning', 'for': '3m', threshold: 0.8, window: '2m' },
      // Closes without TIME-WAIT within the window.
      TimewaitBucketOverflow: { severity: 'warning', 'for': '0s', threshold: 0, window: '5m' },
      // Refused connections per second.
      TimewaitPawsRejectionsWithRecycle: { severity: 'critical', 'for': '0s', threshold: 0, window: '5m' },
      TimewaitTcpTwRecycleEnabled: { severity: 'warning', 'for': '1m' },
      // Sockets in CLOSE-WAIT that there were at least throughout the window.
      TimewaitCloseWaitAccumulating: { severity: 'warning', 'for': '5m', threshold: 100, window: '10m' },
      TimewaitListenerInsideEphemeralRange: { severity: 'info', 'for': '1h' },
      TimewaitCollectorFailing: { severity: 'warning', 'for': '15m' },
      // A snapshot that is older than so many poll intervals and than so long.
      TimewaitSnapshotStale: { severity: 'warning', 'for': '2m', intervals: 3, threshold: '2m' },
      TimewaitExporterDown: { severity: 'warning', 'for': '5m' },
    },
  },
}
