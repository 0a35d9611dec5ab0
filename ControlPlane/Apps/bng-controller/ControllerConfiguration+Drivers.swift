// SPDX-License-Identifier: Apache-2.0
// The configuration in the words of each driver.

import AgentContract
import AgentDriver
import BNGConfiguration
import BNGCore
import DHCPv6
import Fleet
import Store
import SubscriberDriver

extension ControllerConfiguration {
    func agentServer(_ identities: NodeIdentities) throws -> AgentServerConfiguration {
        var server = AgentServerConfiguration(
            controllerID: "controller-\(self.controller.id)",
            listeners: self.agents.listen.map { listener in
                switch listener {
                case .unix(let path): return .unix(path: path)
                case .tls(let address, let certificate, let key, let authority):
                    return .tls(
                        host: address.host, port: address.port, certificate: certificate, key: key,
                        authority: authority)
                }
            },
            nodes: self.nodes.map(\.name), heartbeatIntervalMs: self.agents.heartbeatMs,
            heartbeatTimeoutMs: self.agents.heartbeatTimeoutMs, auditIntervalMs: Int64(self.agents.auditIntervalMs))
        server.identities = try NodeIdentities.requirements(of: self)
        server.trust = identities
        server.enrols = identities.enrols
        return server
    }

    func memory(from state: StoredState) -> [NodeName: NodeMemory] {
        var memory: [NodeName: NodeMemory] = [:]
        for node in self.nodes {
            var generations: [ObjectKey: StoredGeneration] = [:]
            for (key, stored) in state.generations[node.name] ?? [:] {
                guard let content = ObjectDigest(stored.content) else { continue }
                generations[key] = StoredGeneration(generation: stored.generation, content: content)
            }
            memory[node.name] = NodeMemory(sessionEpoch: state.sessionEpochs[node.name], generations: generations)
        }
        return memory
    }

    func plane(
        firstSessionCounter: UInt64, aaa: AAAPolicy, serverID: DUID, external: (any ExternalAddressing)?
    ) -> PlaneConfiguration {
        let pools = self.pools.compactMap { pool -> PoolPolicy? in
            guard let template = self.template(of: pool), let identity = self.identity(of: pool) else { return nil }
            return PoolPolicy(
                name: pool.name, vrf: pool.vrf, prefix: pool.prefix, ranges: pool.ranges, statics: pool.statics,
                template: template, templateID: Self.templateID(of: pool), serverIdentifier: identity.address,
                quarantine: pool.quarantine, allocation: pool.allocation, alarmPercent: pool.alarmPercent,
                external: self.external(pool.external, link: .v4(pool.gateway)), nat: pool.nat)
        }
        var plane = PlaneConfiguration(
            poolsByDomain: Dictionary(
                self.accessDomains.map { ($0.id, $0.pools) }, uniquingKeysWith: { first, _ in first }),
            pools: pools, issuer: self.controller.id, firstSessionCounter: firstSessionCounter)
        plane.aaa = aaa
        plane.pppoe = self.pppoePolicies
        plane.ipv6 = self.ipv6Policies(serverID: serverID)
        plane.prefixPools = self.prefixPoolPolicies
        plane.natPools = self.natPools.map { pool in
            NATPoolPolicy(
                name: pool.name, vrf: pool.vrf, policy: pool.policy, addresses: pool.addresses, ports: pool.ports,
                layout: pool.layout, quarantine: pool.quarantine, alarmPercent: pool.alarmPercent)
        }
        for settings in self.natPolicies where settings.policy.pcp {
            plane.pcp[settings.name] = PCPPolicy(limit: settings.forwards, lifetimes: settings.lifetimes)
        }
        plane.external = external
        return plane
    }
}
