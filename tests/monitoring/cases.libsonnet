// When rules give what. A case has series, by name and labels without job and instance, with a value for each quarter
// of a minute. Of an alert, `firing` has by time the labels (without those that each has) and descriptions of those
// that fire, and `quiet` the times at which none does; of recording rules, `expr` has by time the samples of each.
(import 'cases/connect_failures.libsonnet') +
(import 'cases/connect_ports.libsonnet') +
(import 'cases/reuse.libsonnet') +
(import 'cases/ports.libsonnet') +
(import 'cases/states.libsonnet') +
(import 'cases/exporter.libsonnet') +
(import 'cases/recording_rules.libsonnet')
