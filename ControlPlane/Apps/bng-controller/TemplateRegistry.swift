// SPDX-License-Identifier: Apache-2.0
// Variants of pool templates that AAA's answers call for (DNS servers, netmask), made known to every node before a session uses
// one. Bounded: beyond the bound such a line is served by the controller alone.

import AgentDriver
import BNGConfiguration
import Fleet
import SubscriberDriver
import Synchronization

/// The variants in use since the process began.
final class TemplateRegistry: Sendable {
    /// Variants at once; templates of one node are limited by its maps.
    static let limit = 1_024

    private struct State {
        /// Ids of those every node has been told of.
        var ready: [TemplateVariant: UInt64] = [:]
        var order: [TemplateVariant] = []
    }

    private let configuration: ControllerConfiguration
    private let server: AgentServer
    private let pppoe: PPPoEServices
    private let state = Mutex(State())

    init(configuration: ControllerConfiguration, server: AgentServer, pppoe: PPPoEServices) {
        self.configuration = configuration
        self.pppoe = pppoe
        self.server = server
    }

    /// Gives every node what the configuration says of it, and the variants.
    func configureNodes() { self.state.withLock { self.configure($0.order, then: {}) } }

    func prepare(_ variant: TemplateVariant, then ready: @escaping @Sendable (UInt64?) -> Void) {
        guard let pool = self.configuration.pools.first(where: { $0.name == variant.pool }),
            self.configuration.template(of: pool) != nil
        else { return ready(nil) }
        // Under the lock, so that a later list of variants is never overtaken by an earlier one.
        self.state.withLock { state in
            if let id = state.ready[variant] { return ready(id) }
            let id = namedObjectID(.poolTemplate, Self.name(of: variant))
            if !state.order.contains(variant) {
                guard state.order.count < Self.limit else { return ready(nil) }
                state.order.append(variant)
            }
            self.configure(state.order) {
                self.state.withLock { $0.ready[variant] = id }
                ready(id)
            }
        }
    }

    private static func name(of variant: TemplateVariant) -> String {
        let dns = variant.dns.map(\.description).joined(separator: ",")
        return "\(variant.pool) dns=\(dns) length=\(variant.prefixLength.map(String.init) ?? "-")"
    }

    private func configure(_ variants: [TemplateVariant], then done: @escaping @Sendable () -> Void) {
        let nodes = self.configuration.nodes.map(\.name)
        let countdown = Countdown(nodes.count, then: done)
        for node in nodes {
            let described = self.configuration.objects(of: node, pppoe: self.pppoe.serving(node))
            var objects = described.map { NamedObject(name: $0.name, body: $0.body) }
            for variant in variants {
                guard let pool = self.configuration.pools.first(where: { $0.name == variant.pool }),
                    let template = self.configuration.template(of: pool),
                    objects.contains(where: { $0.key.family == .poolTemplate && $0.name == pool.name })
                else { continue }
                objects.append(
                    NamedObject(name: Self.name(of: variant), body: .poolTemplate(variant.applied(to: template))))
            }
            self.server.setConfiguration(node: node, objects: objects) { countdown.arrived() }
        }
    }
}
