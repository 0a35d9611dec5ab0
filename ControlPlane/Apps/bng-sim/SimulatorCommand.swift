// SPDX-License-Identifier: Apache-2.0
// The command line of bng-sim: so many nodes, so many customers on each, and a line of figures now and then.

import ArgumentParser
import Foundation
import NIOCore
import NIOPosix

@main
struct SimulatorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bng-sim",
        abstract: "Simulated nodes for a real controller: the whole agent contract, no network card.",
        discussion: """
            Node K is called PREFIXK, serves access domain K and has the ports access0 and core0; the controller's configuration
            must have all of them. Prints a JSON object a line. Exit codes: 0 done; 1 the goal was not reached in time.
            """)

    @Option(help: "unix:/PATH of the controller's agent socket.")
    var controller: String
    @Option(help: "How many nodes, 1-4096.")
    var nodes = 1
    @Option(help: "What their names begin with.")
    var prefix = "sim"
    @Option(help: "Customers of each node.")
    var sessions = 0
    @Option(help: "Customers of a node that dial at once.")
    var window = 32
    @Option(help: "Milliseconds a customer waits for an answer.")
    var retryMs = 3_000
    @Option(help: "Junk DHCP packets a second and node.")
    var storm = 0
    @Option(help: "Seconds from the last customer online to the storm.")
    var stormAfter = 0
    @Option(help: "Seconds the storm lasts.")
    var stormSeconds = 3_600
    @Option(help: "Renewals a second and node.")
    var renewals = 0
    @Option(help: "Customers that leave and come back, a second and node.")
    var churn = 0
    @Option(help: "Mean seconds until a node loses a lane; 0: never.")
    var loseLane = 0
    @Option(help: "Mean seconds until a node loses its maps; 0: never.")
    var reboot = 0
    @Option(help: "Event loops.")
    var threads = 1
    @Option(help: "Seconds between two lines of figures.")
    var every = 1.0
    @Option(help: "End after so many seconds.")
    var seconds = 3_600.0
    @Flag(help: "End as soon as every customer is online.")
    var untilOnline = false

    func validate() throws {
        guard SimulatorTarget(self.controller) != nil else {
            throw ValidationError("--controller: expected unix:/PATH, found \"\(self.controller)\"")
        }
        guard (1...4_096).contains(self.nodes), (0...1_000_000).contains(self.sessions),
            (1...64).contains(self.threads),
            self.every > 0
        else {
            throw ValidationError("expected 1-4096 nodes, 0-1000000 sessions, 1-64 threads and a time between reports")
        }
    }

    func run() async throws {
        guard let target = SimulatorTarget(self.controller) else { return }
        let group = MultiThreadedEventLoopGroup(numberOfThreads: self.threads)
        let settings = SimulatedNode.Settings(
            target: target, lines: self.sessions, window: self.window, retryMs: self.retryMs,
            stormPerSecond: self.storm,
            stormAfterSeconds: self.stormAfter, stormSeconds: self.stormSeconds,
            renewalsPerSecond: self.renewals, churnPerSecond: self.churn, laneLossSeconds: self.loseLane,
            rebootSeconds: self.reboot)
        var nodes: [NIOLoopBound<SimulatedNode>] = []
        for number in 1...self.nodes {
            let loop = group.next()
            let name = "\(self.prefix)\(number)"
            nodes.append(
                try await loop.submit {
                    let node = SimulatedNode(number: number, name: name, loop: loop, settings: settings)
                    node.start()
                    return NIOLoopBound(node, eventLoop: loop)
                }.get())
        }
        let reached = try await self.report(nodes)
        if self.untilOnline, !reached { throw ExitCode(1) }
    }

    /// Whether every customer came online.
    private func report(_ nodes: [NIOLoopBound<SimulatedNode>]) async throws -> Bool {
        let start = ContinuousClock.now
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        while true {
            try await Task.sleep(for: .seconds(self.every))
            var facts: [SimulationFacts] = []
            for node in nodes {
                facts.append(try await node.eventLoop.submit { node.value.takeFacts() }.get())
            }
            let passed = start.duration(to: .now)
            let seconds = Double(passed.components.seconds) + Double(passed.components.attoseconds) / 1e18
            let report = SimulationReport(facts, seconds: seconds)
            FileHandle.standardOutput.write(try encoder.encode(report) + Data("\n".utf8))
            let everyone = report.online == self.nodes * self.sessions
            if self.untilOnline, everyone { return true }
            if seconds >= self.seconds { return everyone }
        }
    }
}
