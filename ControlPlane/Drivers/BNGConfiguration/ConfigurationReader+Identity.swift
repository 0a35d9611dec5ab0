// SPDX-License-Identifier: Apache-2.0
// Reads `identity:`, `attestation-policies:` and who each node is.

import BNGCore
import Yams

extension ConfigurationReader {
    mutating func readIdentity(_ node: Node) {
        guard var reader = MappingReader(node, path: "identity", problems: self.problems) else { return }
        var settings = IdentitySettings()
        if let authority = reader.node("authority") { settings.authority = self.readAuthority(authority) }
        settings.certificateLifetime = reader.seconds("certificate-lifetime") ?? settings.certificateLifetime
        if !(10...315_360_000).contains(settings.certificateLifetime.value) {
            self.problems.add(
                reader.place(of: "certificate-lifetime"), "identity.certificate-lifetime: expected 10s to 3650d")
        }
        settings.requireTPM = reader.flag("require-tpm") ?? false
        settings.endorsementAuthorities = reader.text("endorsement-authorities", "the path of a folder") ?? ""
        settings.pending = reader.integer("pending", 1...65_536) ?? settings.pending
        for (index, rule) in reader.list("approve").enumerated() {
            guard let rule = self.readRule(rule, "identity.approve[\(index)]") else { continue }
            settings.approve.append(rule)
        }
        reader.finish()
        self.configuration.identity = settings
    }

    private func readAuthority(_ node: Node) -> IdentitySettings.Authority? {
        guard var reader = MappingReader(node, path: "identity.authority", problems: self.problems) else { return nil }
        defer { reader.finish() }
        let certificate = reader.text("certificate", "the path of a PEM file", required: true)
        let key = reader.text("key", "the path of a PEM file", required: true)
        guard let certificate, let key else { return nil }
        return .init(certificate: certificate, key: key)
    }

    private func readRule(_ node: Node, _ path: String) -> IdentitySettings.Rule? {
        guard var reader = MappingReader(node, path: path, problems: self.problems) else { return nil }
        defer { reader.finish() }
        let name = reader.text("node", "the name of a node", required: true)
        let key = reader.value("endorsement-key", "64 hexadecimal digits") { text in
            Self.digest(text).map { _ in text.lowercased() }
        }
        let serial = reader.text("serial", "a serial number")
        if let name, !self.isNode(name) {
            self.problems.add(reader.place(of: "node"), "\(path).node: there is no node \"\(name)\"")
        }
        guard let name, (key == nil) != (serial == nil) else {
            self.problems.add(node, "\(path): expected either endorsement-key or serial")
            return nil
        }
        return .init(evidence: key.map { .endorsementKey($0) } ?? .serial(serial ?? ""), node: name)
    }

    /// `identity` is read after the nodes.
    private func isNode(_ name: String) -> Bool { self.configuration.nodes.contains { $0.name == name } }

    mutating func readAttestationPolicy(_ node: Node) {
        let path = "attestation-policies[\(self.configuration.attestationPolicies.count)]"
        guard var reader = MappingReader(node, path: path, problems: self.problems) else { return }
        var policy = AttestationPolicySettings()
        policy.name = reader.text("name", "a name", required: true) ?? ""
        if let registers = reader.required("registers", "a mapping of PCR numbers to digests") {
            policy.registers = self.readRegisters(registers, "\(path).registers")
        }
        policy.eventLog = reader.flag("event-log") ?? false
        policy.endorsementCertificate = reader.flag("endorsement-certificate") ?? false
        policy.interval = reader.seconds("interval") ?? policy.interval
        if !(10...2_592_000).contains(policy.interval.value) {
            self.problems.add(reader.place(of: "interval"), "\(path).interval: expected 10s to 30d")
        }
        reader.finish()
        if self.configuration.attestationPolicies.contains(where: { $0.name == policy.name }) {
            self.problems.add(node, "\(path).name: \"\(policy.name)\" stands here twice")
        }
        self.configuration.attestationPolicies.append(policy)
    }

    private func readRegisters(_ node: Node, _ path: String) -> [UInt32: [[UInt8]]] {
        guard let mapping = node.mapping, !mapping.isEmpty else {
            self.problems.add(node, "\(path): expected at least one PCR number with its digests")
            return [:]
        }
        var registers: [UInt32: [[UInt8]]] = [:]
        for (key, value) in mapping {
            guard let register = key.scalar.flatMap({ UInt32($0.string) }), register < 24 else {
                self.problems.add(key, "\(path): expected a PCR number from 0 to 23")
                continue
            }
            let digests = value.sequence.map(Array.init) ?? [value]
            registers[register] = digests.compactMap {
                self.problems.parse($0, "\(path).\(register)", "64 hexadecimal digits", Self.digest)
            }
        }
        return registers
    }

    static func digest(_ text: String) -> [UInt8]? {
        let digits = Array(text.utf8)
        guard digits.count == 64 else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: 64, by: 2) {
            let pair = String(decoding: digits[index...(index + 1)], as: UTF8.self)
            guard !pair.contains("+"), !pair.contains("-"), let byte = UInt8(pair, radix: 16) else { return nil }
            bytes.append(byte)
        }
        return bytes
    }

    /// `identity`, `psk` and `attestation` of a node.
    func readNodeIdentity(_ reader: inout MappingReader) -> NodeIdentitySettings {
        enum Kind: String, CaseIterable { case certificate, psk, tpm }
        let kind = reader.choice("identity", Kind.self) ?? .certificate
        let psk = reader.text("psk", "the path of a file")
        let policy = reader.text("attestation", "the name of an attestation policy")
        for (key, value, owner) in [("psk", psk, Kind.psk), ("attestation", policy, .tpm)]
        where (value != nil) != (kind == owner) {
            self.problems.add(
                reader.place(of: key), "\(reader.name(key)): expected with identity: \(owner.rawValue), and only there")
        }
        switch kind {
        case .certificate: return .certificate
        case .psk: return .psk(path: psk ?? "")
        case .tpm: return .tpm(policy: policy ?? "")
        }
    }

    /// What the identities of nodes refer to.
    func checkIdentities() {
        let policies = Set(self.configuration.attestationPolicies.map(\.name))
        let hasTLS = self.configuration.agents.listen.contains {
            if case .tls = $0 { return true }
            return false
        }
        for (node, place) in zip(self.configuration.nodes, self.nodePlaces) {
            if case .tpm(let policy) = node.identity, !policies.contains(policy) {
                self.problems.add(
                    place, "nodes: \(node.name): there is no attestation policy \"\(policy)\"")
            }
            if node.identity != .certificate, !hasTLS {
                self.problems.add(place, "nodes: \(node.name): its identity needs a tls listener in agents.listen")
            }
        }
    }
}
