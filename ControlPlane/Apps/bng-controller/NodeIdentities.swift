// SPDX-License-Identifier: Apache-2.0
// Who the nodes are: keeps the book of those who asked, signs certificates, and tells the agents' server what counts.

import AdminAPI
import AdminContract
import AgentDriver
import BNGConfiguration
import BNGCore
import Crypto
import Fleet
import Foundation
import Logging
import NodeAuthority
import RADIUSDriver
import Store
import Synchronization

final class NodeIdentities: NodeTrust {
    private struct State {
        var book: EnrolmentBook
        var certificates: [String: StoredCertificate]
        var tpms: [NodeName: StoredTPM]
    }

    private static let retryAfterMs: UInt32 = 5_000

    private let configuration: ControllerConfiguration
    private let authority: CertificateAuthority?
    private let store: Store
    private let logger: Logger
    private let state: Mutex<State>

    init(_ configuration: ControllerConfiguration, store: Store, logger: Logger) throws {
        self.configuration = configuration
        self.store = store
        self.logger = logger
        self.authority = try configuration.identity.authority.map { files in
            do {
                return try CertificateAuthority(
                    certificate: String(contentsOfFile: files.certificate, encoding: .utf8),
                    key: String(decoding: SecretFile.read(files.key), as: UTF8.self))
            } catch {
                throw StartError(description: "identity.authority: \(error)")
            }
        }
        let stored = try store.identities()
        self.state = Mutex(
            State(
                book: EnrolmentBook(
                    entries: stored.enrolments, rules: configuration.identity.approve.map(ApprovalRule.init),
                    nodes: Set(configuration.nodes.map(\.name)), needsTPM: configuration.identity.requireTPM,
                    limit: configuration.identity.pending),
                certificates: Dictionary(
                    stored.certificates.map { ($0.serial, $0) }, uniquingKeysWith: { first, _ in first }),
                tpms: Dictionary(stored.tpms.map { ($0.node, $0) }, uniquingKeysWith: { first, _ in first })))
    }

    var enrols: Bool { self.authority != nil }

    /// What each node has to prove.
    static func requirements(
        of configuration: ControllerConfiguration
    ) throws -> [NodeName: IdentityRequirement] {
        var requirements: [NodeName: IdentityRequirement] = [:]
        for node in configuration.nodes {
            switch node.identity {
            case .certificate: break
            case .psk(let path): requirements[node.name] = .psk(key: try Self.preSharedKey(path))
            case .tpm(let name):
                guard let policy = configuration.attestationPolicies.first(where: { $0.name == name }) else { break }
                requirements[node.name] = .tpm(
                    registers: policy.registers.keys.sorted(), intervalMs: Int64(policy.interval.value) * 1_000)
            }
        }
        return requirements
    }

    private static func preSharedKey(_ path: String) throws -> [UInt8] {
        let key: [UInt8]
        do { key = try SecretFile.read(path) } catch { throw StartError(description: "psk: \(error)") }
        guard (32...1_024).contains(key.count), !key.contains(UInt8(ascii: "\n")) else {
            throw StartError(description: "psk: \(path): expected one line of 32 to 1024 bytes")
        }
        return key
    }

    // MARK: NodeTrust

    func isRevoked(serial: String) -> Bool {
        self.state.withLock { $0.certificates[serial]?.revoked != nil }
    }

    func judge(_ evidence: NodeEvidence, then: @escaping @Sendable (AttestationVerdict) -> Void) {
        then(.refused("no_policy: this controller judges no TPM"))
    }

    func activated(_ tpm: AttestedTPM, node: NodeName) {
        let stored = StoredTPM(
            node: node, endorsementKey: tpm.endorsementKey, attestationKey: tpm.attestationKeyName)
        self.state.withLock { $0.tpms[node] = stored }
        self.save([.putTPM(stored)]) { _ in }
    }

    func noted(_ node: NodeName, refusal: String?) {}

    func enrol(_ request: EnrolmentRequest, then: @escaping @Sendable (EnrolmentAnswer) -> Void) {
        let entry = NodeEnrolment(
            fingerprint: Self.hexadecimal(SHA256.hash(data: request.key)), requestedName: request.name,
            serial: request.serial, address: request.address, agentVersion: request.agentVersion,
            interfaces: request.interfaces.map(\.name), endorsementKey: request.tpm?.endorsementKey ?? "")
        let now = Controller.utcNow()
        let holder = request.certifiedNames.contains(request.name) ? request.name : nil
        let (decision, changed) = self.state.withLock {
            $0.book.asked(entry, showedTPM: request.tpm != nil, holder: holder, now: now)
        }
        switch decision {
        case .needsTPM: then(.quote(registers: self.registersToShow))
        case .rejected(let reason): then(.refused(reason))
        case .full: then(.pending("too many nodes wait for an operator", retryAfterMs: Self.retryAfterMs * 12))
        case .pending:
            // It asks every few seconds: told once.
            if changed.first?.firstSeen == now {
                self.logger.notice(
                    "a node waits for approval",
                    metadata: [
                        "fingerprint": "\(entry.fingerprint)", "serial": "\(entry.serial)", "from": "\(entry.address)",
                    ])
            }
            self.save(changed.map { .putEnrolment($0) }) { stored in
                then(
                    .pending(
                        stored
                            ? "an operator has to approve \(entry.fingerprint.prefix(16))"
                            : "the store does not answer",
                        retryAfterMs: Self.retryAfterMs))
            }
        case .approved(let node): self.certify(request, node, changed, now, then)
        }
    }

    /// Registers that an enrolling node quotes: those of every policy, since nobody knows yet which node it is.
    private var registersToShow: [UInt32] {
        let all = Set(self.configuration.attestationPolicies.flatMap { $0.registers.keys })
        return all.isEmpty ? [0] : all.sorted()
    }

    private func certify(
        _ request: EnrolmentRequest, _ node: NodeName, _ changed: [NodeEnrolment], _ now: UTCTime,
        _ then: @escaping @Sendable (EnrolmentAnswer) -> Void
    ) {
        guard let authority = self.authority else { return then(.refused("this controller signs no certificates")) }
        let issued: IssuedCertificate
        do {
            issued = try authority.issue(
                request: request.signingRequest, key: request.key, to: node,
                lifetime: self.configuration.identity.certificateLifetime, now: now)
        } catch {
            return then(.refused("the signing request: \(error)"))
        }
        let certificate = StoredCertificate(
            serial: issued.serial, node: node, fingerprint: Self.hexadecimal(SHA256.hash(data: request.key)),
            issued: now,
            ends: issued.ends)
        let operations = self.operations(for: changed, now) + [.putCertificate(certificate)]
        self.state.withLock { $0.certificates[certificate.serial] = certificate }
        let ports =
            self.configuration.nodes.first { $0.name == node }?.ports.map { (name: $0.name, role: $0.role) } ?? []
        self.logger.notice(
            "a node is given a certificate",
            metadata: ["node": "\(node)", "serial": "\(issued.serial)", "fingerprint": "\(certificate.fingerprint)"])
        self.save(operations) { stored in
            guard stored else {
                return then(.pending("the store does not answer", retryAfterMs: Self.retryAfterMs))
            }
            then(.approved(node: node, certificates: [issued.certificate], authority: authority.der, ports: ports))
        }
    }

    /// Entries as they are now; those that are not approved lose their certificates.
    private func operations(for changed: [NodeEnrolment], _ now: UTCTime) -> [IdentityOperation] {
        var operations = changed.map { IdentityOperation.putEnrolment($0) }
        for entry in changed {
            guard case .rejected = entry.status else { continue }
            operations.append(.revoke(fingerprint: entry.fingerprint, at: now))
            self.markRevoked(now) { $0.fingerprint == entry.fingerprint }
        }
        return operations
    }

    @discardableResult
    private func markRevoked(_ now: UTCTime, _ chosen: (StoredCertificate) -> Bool) -> Set<NodeName> {
        self.state.withLock { state in
            var nodes: Set<NodeName> = []
            for (serial, certificate) in state.certificates where certificate.revoked == nil && chosen(certificate) {
                state.certificates[serial]?.revoked = now
                nodes.insert(certificate.node)
            }
            return nodes
        }
    }

    private func save(_ operations: [IdentityOperation], then: @escaping @Sendable (Bool) -> Void) {
        let logger = self.logger
        self.store.submit(operations.map { .identity($0) }) { result in
            if case .failure(let error) = result {
                logger.error("the store refused", metadata: ["error": "\(error)"])
                return then(false)
            }
            then(true)
        }
    }

    static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}

// MARK: Operators

extension NodeIdentities {
    func enrolments() -> [EnrolmentView] {
        self.state.withLock { state in
            state.book.entries.values.sorted { ($0.firstSeen, $0.fingerprint) < ($1.firstSeen, $1.fingerprint) }
                .map { entry in
                    let newest = state.certificates.values.filter { $0.fingerprint == entry.fingerprint }
                        .max { $0.ends < $1.ends }
                    return EnrolmentView(entry, newest)
                }
        }
    }

    /// Nodes that had another key until now are among those returned: their associations have to end.
    func approve(_ text: String, as node: NodeName) async throws -> (NodeEnrolment, ended: Set<NodeName>) {
        let changed = try self.state.withLock { state throws in
            do { return try state.book.approve(text, as: node) } catch { throw AdminRefusal.conflict("\(error)") }
        }
        let before = self.state.withLock { Set($0.certificates.values.filter { $0.revoked == nil }.map(\.serial)) }
        let operations = self.operations(for: changed, Controller.utcNow())
        try await self.store.submit(operations.map { .identity($0) })
        let ended = self.state.withLock { state in
            Set(
                before.compactMap { serial in
                    state.certificates[serial].flatMap { $0.revoked == nil ? nil : $0.node }
                })
        }
        guard let approved = changed.last else { throw AdminRefusal.conflict("nothing was approved") }
        return (approved, ended)
    }

    func reject(_ text: String) async throws -> (NodeEnrolment, ended: Set<NodeName>) {
        let entry = try self.state.withLock { state throws in
            do {
                return try state.book.reject(text, reason: "an operator refused it")
            } catch { throw AdminRefusal.conflict("\(error)") }
        }
        let now = Controller.utcNow()
        let ended = self.markRevoked(now) { $0.fingerprint == entry.fingerprint }
        try await self.store.submit([
            .identity(.putEnrolment(entry)), .identity(.revoke(fingerprint: entry.fingerprint, at: now)),
        ])
        return (entry, ended)
    }

    func forget(_ text: String) async throws -> (NodeEnrolment, ended: Set<NodeName>) {
        let entry = try self.state.withLock { state throws in
            do { return try state.book.forget(text) } catch { throw AdminRefusal.conflict("\(error)") }
        }
        let now = Controller.utcNow()
        let ended = self.markRevoked(now) { $0.fingerprint == entry.fingerprint }
        try await self.store.submit([
            .identity(.removeEnrolment(fingerprint: entry.fingerprint)),
            .identity(.revoke(fingerprint: entry.fingerprint, at: now)),
        ])
        return (entry, ended)
    }
}

extension ApprovalRule {
    init(_ rule: IdentitySettings.Rule) {
        switch rule.evidence {
        case .endorsementKey(let key): self.init(.endorsementKey(key), node: rule.node)
        case .serial(let serial): self.init(.serial(serial), node: rule.node)
        }
    }
}

extension EnrolmentView {
    init(_ entry: NodeEnrolment, _ certificate: StoredCertificate?) {
        var status = "pending"
        var node = ""
        var reason = ""
        switch entry.status {
        case .pending: break
        case .approved(let name): (status, node) = ("approved", name)
        case .rejected(let words): (status, reason) = ("rejected", words)
        }
        self.init(
            fingerprint: entry.fingerprint, status: status, node: node, reason: reason,
            requestedName: entry.requestedName, serial: entry.serial, address: entry.address,
            agentVersion: entry.agentVersion, interfaces: entry.interfaces, endorsementKey: entry.endorsementKey,
            firstSeenMs: entry.firstSeen.milliseconds, lastSeenMs: entry.lastSeen.milliseconds,
            certificate: certificate?.serial ?? "", certificateEndsMs: certificate?.ends.milliseconds ?? 0,
            revoked: certificate?.revoked != nil)
    }
}
