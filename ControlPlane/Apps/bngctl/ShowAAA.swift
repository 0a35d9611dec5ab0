// SPDX-License-Identifier: Apache-2.0
// bngctl show aaa and plans.

import AdminContract
import ArgumentParser

struct ShowAAA: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "aaa", abstract: "Who is asked about customers, RADIUS servers, the accounting spool.")
    @OptionGroup var connection: Connection

    func run() async throws {
        try await self.connection.run(.GET, "/v1/aaa", as: AAAView.self) { view in
            var parts = [
                "chain: \(view.chain.isEmpty ? "none, everybody is admitted" : view.chain.joined(separator: ", "))"
            ]
            if !view.servers.isEmpty { parts.append(Self.table(view.servers)) }
            if let spool = view.spool {
                parts.append(
                    facts([
                        ("spool", "\(spool.backlog) records wait\(spool.isFull ? ", at the bound" : "")"),
                        ("oldest", Words.distance(spool.oldestMs)), ("under way", "\(spool.inFlight)"),
                        ("delivered", "\(spool.delivered)"), ("not answered", "\(spool.failed)"),
                        ("interims refused", spool.refusedInterims == 0 ? "" : "\(spool.refusedInterims)"),
                    ]))
            }
            if !view.dynamicAuthorization.isEmpty {
                let counts = view.dynamicAuthorization.sorted { $0.key < $1.key }
                parts.append(
                    "dynamic authorization: " + counts.map { "\($0.key) \($0.value)" }.joined(separator: ", "))
            }
            return parts.joined(separator: "\n\n")
        }
    }

    private static func table(_ servers: [AAAServerView]) -> String {
        var table = Table("SERVER", "ROLE", "STATE", ">FLYING", ">P50", ">P99", "COUNTERS")
        for server in servers {
            let counters = server.counters.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
            table.add(
                server.name, server.role, server.state, "\(server.inFlight)", "\(server.p50Us) us",
                "\(server.p99Us) us", counters.joined(separator: ", "))
        }
        return table.text
    }
}

struct ShowPlans: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "plans", abstract: "Plans as configured.")
    @OptionGroup var connection: Connection

    func run() async throws {
        try await self.connection.run(.GET, "/v1/plans", as: [PlanView].self) { plans in
            var table = Table(
                "PLAN", ">VERSION", ">DOWN", ">UP", "FILTER", ">SESSION", ">IDLE", "POOLS", ">PER USER", "GARDEN")
            for plan in plans {
                table.add(
                    plan.name, "\(plan.version)", Words.rate(plan.rateDownBps), Words.rate(plan.rateUpBps),
                    plan.filter, plan.sessionTimeoutSeconds == 0 ? "-" : "\(plan.sessionTimeoutSeconds)s",
                    plan.idleTimeoutSeconds == 0 ? "-" : "\(plan.idleTimeoutSeconds)s",
                    plan.pools.joined(separator: ","), plan.sessionsPerUser == 0 ? "-" : "\(plan.sessionsPerUser)",
                    plan.isGarden ? "yes" : "")
            }
            return table.text
        }
    }
}
