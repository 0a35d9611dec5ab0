// SPDX-License-Identifier: Apache-2.0
// What Prometheus sees of DHCP servers outside.

import DHCPServerDriver
import Telemetry

extension Controller {
    func dhcpServerMetrics() async -> [MetricFamily] {
        var alive = MetricFamily(
            "bng_dhcp_server_alive", help: "0 while a DHCP server outside has not answered of late.", kind: .gauge)
        var messages = MetricFamily(
            "bng_dhcp_server_messages_total", help: "Messages of a DHCP server outside, by kind.", kind: .counter)
        var held = MetricFamily("bng_dhcp_leases", help: "Leases of servers outside that are held.", kind: .gauge)
        var exchanges = MetricFamily(
            "bng_dhcp_exchanges", help: "Exchanges with servers outside, by state.", kind: .gauge)
        var events = MetricFamily(
            "bng_dhcp_lease_events_total", help: "What became of leases of servers outside.", kind: .counter)
        var failures = MetricFamily(
            "bng_dhcp_lease_failures_total", help: "Leases that servers outside did not give, by reason.",
            kind: .counter)
        for group in await self.dhcpServers?.status() ?? [] {
            let labels = [MetricFamily.Label("group", group.name), .init("family", group.family.rawValue)]
            func sample(_ value: some BinaryInteger, _ more: MetricFamily.Label...) -> MetricFamily.Sample {
                .init(labels: labels + more, value: Double(value))
            }
            for server in group.servers {
                let name = MetricFamily.Label("server", server.address)
                alive.samples.append(sample(server.isAlive ? 1 : 0, name))
                for (kind, value) in [
                    ("sent", server.sent), ("answered", server.answered), ("unanswered", server.unanswered),
                ] {
                    messages.samples.append(sample(value, name, .init("kind", kind)))
                }
            }
            held.samples.append(sample(group.held))
            exchanges.samples.append(sample(group.outstanding, .init("state", "outstanding")))
            exchanges.samples.append(sample(group.waiting, .init("state", "waiting")))
            for counter in DHCPGroupCounter.allCases {
                events.samples.append(sample(group.counters[counter] ?? 0, .init("event", counter.rawValue)))
            }
            for failure in AcquireFailure.allCases {
                failures.samples.append(sample(group.failures[failure] ?? 0, .init("reason", failure.rawValue)))
            }
        }
        return [alive, messages, held, exchanges, events, failures]
    }
}
