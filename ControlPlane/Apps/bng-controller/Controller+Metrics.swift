// SPDX-License-Identifier: Apache-2.0
// What Prometheus sees: nodes, ports, pools, reasons, the store. Never a label per subscriber (docs/operate/metrics.md).

import AgentDriver
import Fleet
import Foundation
import PPP
import SubscriberDriver
import Subscribers
import Telemetry

extension Controller {
    func registerMetrics() {
        self.metrics.collect { [self] in await self.nodeMetrics() }
        self.metrics.collect { [self] in await self.planeMetrics() }
        self.metrics.collect { [self] in await self.aaaMetrics() }
        self.metrics.collect { [self] in await self.dhcpServerMetrics() }
        self.metrics.collect { [self] in self.natRecordMetrics() }
        self.metrics.collect { [self] in self.processMetrics() }
    }

    private func nodeMetrics() async -> [MetricFamily] {
        let nodes = await self.server.status()
        func gauge(_ name: String, _ help: String, _ value: (NodeSnapshot) -> Int64) -> MetricFamily {
            var family = MetricFamily(name, help: help, kind: .gauge)
            for node in nodes { family.add(value(node), .init("node", node.name)) }
            return family
        }
        func counter(_ name: String, _ help: String, _ value: (NodeSnapshot) -> UInt64) -> MetricFamily {
            var family = MetricFamily(name, help: help, kind: .counter)
            for node in nodes { family.add(value(node), .init("node", node.name)) }
            return family
        }
        var families = [
            gauge("bng_node_connected", "1 while the node's agent is connected.") {
                $0.reachability == .connected ? 1 : 0
            },
            gauge("bng_node_synchronized", "1 while the node holds everything intended and nothing waits.") {
                $0.synchronized ? 1 : 0
            },
            gauge("bng_node_term_stale", "1 if the agent obeys a controller with a higher term.") {
                $0.termIsStale ? 1 : 0
            },
            gauge("bng_node_clock_skew_milliseconds", "The node's clock minus ours.") { $0.clockSkewMs },
            gauge("bng_node_sessions_intended", "Sessions the node should hold.") { Int64($0.intendedSessions) },
            gauge("bng_node_sessions_installed", "Sessions the node says it holds.") { Int64($0.agentSessions) },
            gauge("bng_node_queued_objects", "Objects waiting to be sent or answered.") { Int64($0.queuedItems) },
            gauge("bng_node_pending_deletes", "Deletes the node has not confirmed; their addresses stay bound.") {
                Int64($0.pendingDeletes)
            },
            gauge("bng_node_quarantined_sessions", "Sessions installed there that this controller does not know.") {
                Int64($0.quarantine.count)
            },
            gauge("bng_node_refused_objects", "Objects the agent refuses to hold.") { Int64($0.refusals.count) },
            gauge("bng_node_unequal_audits", "Audits in a row that found differences; 2 is an alarm.") {
                Int64($0.unequalAudits)
            },
            gauge("bng_node_punt_queue_depth", "Packets waiting in the agent.") { Int64($0.puntQueueDepth) },
            gauge("bng_node_event_queue_depth", "Events waiting in the agent.") { Int64($0.eventQueueDepth) },
            counter("bng_node_audits_total", "Audits finished.") { $0.audits },
            counter("bng_node_associations_total", "Times the agent connected.") { $0.traffic.associations },
            counter("bng_node_upserts_total", "Objects sent.") { $0.traffic.upserts },
            counter("bng_node_deletes_total", "Deletes sent.") { $0.traffic.deletes },
            counter("bng_node_refusals_total", "Items the agent refused.") { $0.traffic.refused },
            counter("bng_node_injects_total", "Packets sent down.") { $0.traffic.injects },
            counter("bng_node_injects_dropped_total", "Packets not sent down: no lane, or too many waiting.") {
                $0.traffic.injectsDropped
            },
            counter("bng_node_events_total", "Events received.") { $0.traffic.events },
            gauge("bng_node_events_lost", "Events the agent had to drop since it began.") {
                Int64(clamping: $0.lostEvents)
            },
            gauge("bng_node_punts_dropped", "Packets the agent could not carry up in this association.") {
                Int64(clamping: $0.traffic.puntsDropped)
            },
        ]
        families += self.detailMetrics(nodes)
        return families
    }

    private func detailMetrics(_ nodes: [NodeSnapshot]) -> [MetricFamily] {
        var audits = MetricFamily(
            "bng_node_audit_differences", help: "Differences the last audit found, before its repair.", kind: .gauge)
        var punts = MetricFamily("bng_punts_total", help: "Packets carried up, by class.", kind: .counter)
        var links = MetricFamily("bng_port_link_up", help: "1 while the port has link.", kind: .gauge)
        var modes = MetricFamily("bng_port_mode", help: "1 for the XDP mode the port runs in.", kind: .gauge)
        var data: [String: MetricFamily] = [:]
        for node in nodes {
            for outcome in node.audit {
                let labels = [MetricFamily.Label("node", node.name), .init("family", "\(outcome.family)")]
                for (kind, value) in [
                    ("missing", outcome.missing), ("extra", outcome.extra), ("different", outcome.different),
                ] {
                    audits.samples.append(.init(labels: labels + [.init("kind", kind)], value: Double(value)))
                }
            }
            for (puntClass, value) in node.traffic.punts.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
                punts.add(value, .init("node", node.name), .init("class", "\(puntClass)"))
            }
            for port in node.ports {
                links.add(port.linkUp ? 1 : 0, .init("node", node.name), .init("port", port.name))
                modes.add(
                    1, .init("node", node.name), .init("port", port.name), .init("mode", port.mode.rawValue))
            }
            for (key, value) in node.counters.sorted(by: { ($0.key.name, $0.key.port) < ($1.key.name, $1.key.port) }) {
                let parts = key.name.split(separator: ".", maxSplits: 1)
                guard parts.count == 2, let name = Self.dataPlaneFamilies[String(parts[0])] else { continue }
                var family = data[name.0] ?? MetricFamily(name.0, help: name.1, kind: .counter)
                family.add(
                    value, .init("node", node.name), .init("port", key.port), .init("reason", String(parts[1])))
                data[name.0] = family
            }
        }
        return [audits, punts, links, modes] + data.values
    }

    /// First part of the data plane's counter names, and the metric they become.
    private static let dataPlaneFamilies: [String: (String, String)] = [
        "drop": ("bng_drops_total", "Packets dropped, by reason."),
        "punt": ("bng_dataplane_punts_total", "Packets the data plane handed to its agent, by reason."),
        "tx": ("bng_dataplane_tx_total", "Packets the data plane sent or forwarded, by kind."),
        "inject": ("bng_agent_injects_total", "What became of packets sent down."),
        "nat_alg": ("bng_agent_nat_alg_total", "What the gateways of NAT did with control connections."),
        "attach": ("bng_agent_attach_total", "How programs were attached."),
    ]

    private func planeMetrics() async -> [MetricFamily] {
        var sessions = MetricFamily("bng_sessions", help: "Sessions by phase.", kind: .gauge)
        for (phase, count) in (try? await self.plane.sessionCounts()) ?? [:] {
            sessions.add(count, .init("phase", phase.rawValue))
        }
        var addresses = MetricFamily("bng_pool_addresses", help: "Addresses by pool and state.", kind: .gauge)
        var exhausted = MetricFamily(
            "bng_pool_exhausted_total", help: "Requests for which a pool had no address.", kind: .counter)
        var alarms = MetricFamily(
            "bng_pool_alarm", help: "1 while a pool holds more than its alarm threshold.", kind: .gauge)
        for (name, usage) in (try? await self.plane.poolUsage()) ?? [] {
            let states = [
                ("held", usage.held), ("returned", usage.returned), ("unused", usage.unused),
                ("external", usage.external),
            ]
            for (state, value) in states {
                addresses.add(value, .init("pool", name), .init("state", state))
            }
            exhausted.add(usage.exhausted, .init("pool", name))
            alarms.add(usage.alarm ? 1 : 0, .init("pool", name))
        }
        let nat = await self.natMetrics()
        var events = MetricFamily(
            "bng_subscriber_events_total", help: "What the subscriber plane has done and refused.", kind: .counter)
        let counters = (try? await self.plane.counters()) ?? [:]
        for counter in PlaneCounter.allCases { events.add(counters[counter] ?? 0, .init("event", counter.rawValue)) }
        var ppp = MetricFamily("bng_ppp_events_total", help: "What PPP links met, by kind.", kind: .counter)
        let met = (try? await self.plane.pppCounters()) ?? [:]
        for counter in PPPCounter.allCases { ppp.add(met[counter] ?? 0, .init("event", counter.rawValue)) }
        var dials = MetricFamily("bng_pppoe_sessions", help: "PPPoE sessions and dialling clients.", kind: .gauge)
        for node in self.configuration.nodes {
            dials.add(self.plane.pppoeCount(of: node.name), .init("node", node.name))
        }
        return [sessions, addresses, exhausted, alarms, events, ppp, dials] + nat
    }

    private func natMetrics() async -> [MetricFamily] {
        var blocks = MetricFamily("bng_nat_blocks", help: "Blocks of ports by NAT pool and state.", kind: .gauge)
        var exhausted = MetricFamily(
            "bng_nat_pool_exhausted_total", help: "Requests for which a NAT pool had no block.", kind: .counter)
        var alarms = MetricFamily(
            "bng_nat_pool_alarm", help: "1 while a NAT pool holds more than its alarm threshold.", kind: .gauge)
        for (name, usage) in (try? await self.plane.natUsage()) ?? [] {
            let free = max(usage.total - usage.held - usage.resting, 0)
            for (state, value) in [("held", usage.held), ("resting", usage.resting), ("free", free)] {
                blocks.add(value, .init("pool", name), .init("state", state))
            }
            exhausted.add(usage.exhausted, .init("pool", name))
            alarms.add(usage.alarm ? 1 : 0, .init("pool", name))
        }
        return [blocks, exhausted, alarms]
    }

    private func aaaMetrics() async -> [MetricFamily] {
        var states = MetricFamily(
            "bng_aaa_server_state", help: "1 for the state an AAA server is in.", kind: .gauge)
        var flying = MetricFamily(
            "bng_aaa_server_requests", help: "Requests under way or waiting to be sent.", kind: .gauge)
        var times = MetricFamily(
            "bng_aaa_server_round_trip_seconds", help: "Round trip of recent requests, by quantile.", kind: .gauge)
        var events = MetricFamily("bng_aaa_server_events_total", help: "What a server did, by kind.", kind: .counter)
        for server in await self.aaa.serverStatus() {
            let labels = [MetricFamily.Label("server", server.name), .init("role", server.role.rawValue)]
            states.samples.append(.init(labels: labels + [.init("state", server.state.rawValue)], value: 1))
            flying.samples.append(.init(labels: labels, value: Double(server.inFlight + server.waiting)))
            for (quantile, value) in [("0.5", server.medianMicroseconds), ("0.99", server.p99Microseconds)] {
                guard let value else { continue }
                times.samples.append(
                    .init(labels: labels + [.init("quantile", quantile)], value: Double(value) / 1e6))
            }
            for (kind, value) in Counts(server.counters).values.sorted(by: { $0.key < $1.key }) {
                events.samples.append(.init(labels: labels + [.init("kind", kind)], value: Double(value)))
            }
        }
        var dynamic = MetricFamily(
            "bng_dynamic_authorization_total", help: "Requests of RFC 5176, by outcome.", kind: .counter)
        for (kind, value) in await self.aaa.dynamicCounters().sorted(by: { $0.key < $1.key }) {
            dynamic.add(value, .init("outcome", kind))
        }
        return [states, flying, times, events, dynamic] + self.spoolMetrics()
    }

    private func spoolMetrics() -> [MetricFamily] {
        guard let spool = self.aaa.spool?.statistics else { return [] }
        return [
            .single(
                "bng_accounting_backlog", help: "Records on disk that no server has acknowledged.", kind: .gauge,
                spool.backlog),
            .single(
                "bng_accounting_spool_full", help: "1 while the spool is at its bound and interims are refused.",
                kind: .gauge, spool.isFull ? 1 : 0),
            .single(
                "bng_accounting_delivered_total", help: "Records servers acknowledged.", kind: .counter,
                spool.delivered),
            .single(
                "bng_accounting_unanswered_total", help: "Deliveries nobody answered; they are repeated.",
                kind: .counter, spool.failed),
            .single(
                "bng_accounting_interims_refused_total", help: "Interim records not written at the bound.",
                kind: .counter, spool.refusedInterims),
        ]
    }

    private func processMetrics() -> [MetricFamily] {
        let store = self.store.currentStatistics
        var pages: Int64 = 0
        if let statm = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) {
            pages = statm.split(separator: " ").dropFirst().first.flatMap { Int64($0) } ?? 0
        }
        var seconds = MetricFamily(
            "bng_store_commit_seconds_total", help: "Time spent in transactions.", kind: .counter)
        seconds.samples = [.init(value: Double(store.commitNanoseconds) / 1e9)]
        var version = MetricFamily("bng_build_info", help: "Version of the controller.", kind: .gauge)
        version.add(1, .init("version", controllerVersion))
        return [
            .single("bng_store_transactions_total", help: "Transactions.", kind: .counter, store.transactions),
            .single("bng_store_operations_total", help: "Operations made durable.", kind: .counter, store.operations),
            .single("bng_store_failures_total", help: "Submissions the store refused.", kind: .counter, store.failures),
            seconds, version,
            .single(
                "process_resident_memory_bytes", help: "Resident memory.", kind: .gauge, pages * Int64(getpagesize())),
        ]
    }
}
