{
  _config+:: {
    timewaitExporterSelector: 'job="timewait"',
    runbookURLPattern: 'https://example.com/timewait_exporter/docs/runbooks/%s.md',
  },
}
