// SPDX-License-Identifier: Apache-2.0
// One connection: its first frame decides which lane of which node it is; after that it only hands frames to the node.

import AgentContract
import BNGCore
import Fleet
import NIOCore
import NIOSSL

final class LaneHandler: ChannelInboundHandler {
    typealias InboundIn = Wire.AgentFrame
    typealias OutboundOut = ByteBuffer

    /// What makes a connection more than a Unix socket.
    struct Transport {
        /// DER.
        var serverCertificate: [UInt8]
        var peer: PeerVerdict
    }

    private enum State {
        case connecting
        /// The first frame waits until the certificate is judged.
        case judging(Wire.AgentFrame.OneOf_Body)
        /// A hello waits until its node has proven who it is.
        case proving(Wire.Hello, NodeLink, IdentityCheck)
        case enrolling(EnrolmentConversation)
        /// A hello is being answered: the term is on its way to the disk.
        case greeting
        case lane(Wire.Lane, NodeLink, Association)
        case closed
    }

    let core: ServerCore
    /// nil: a Unix socket, where nobody is asked who he is.
    private let tls: Transport?
    private lazy var certificate = self.readCertificate()
    private var state = State.connecting
    private var context: ChannelHandlerContext?
    private var helloDeadline: Scheduled<Void>?
    private var isStranger = false

    init(core: ServerCore, tls: Transport?) {
        self.core = core
        self.tls = tls
    }

    var isWritable: Bool { self.context?.channel.isWritable ?? false }

    // MARK: Channel events

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        guard self.core.admitStranger() else { return context.close(promise: nil) }
        self.isStranger = true
        self.expectFrame(within: self.core.configuration.limits.helloTimeoutMs, "no hello")
    }

    private func expectFrame(within milliseconds: Int64, _ complaint: String) {
        self.helloDeadline?.cancel()
        self.helloDeadline = self.core.loop.assumeIsolated().scheduleTask(in: .milliseconds(milliseconds)) {
            self.close(with: ContractError(.unexpected, complaint))
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.noLongerStranger()
        self.context = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = self.unwrapInboundIn(data)
        do throws(ContractError) {
            try self.received(frame)
        } catch {
            if error.code.rawValue >= 50 || error.code == .overload {
                self.close(with: error)
            } else {
                self.send(.error(.init(error)))
                self.flush()
            }
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        let state = self.state
        self.state = .closed
        self.noLongerStranger()
        if case .lane(_, let node, let association) = state { node.closed(self, association) }
        context.fireChannelInactive()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if case .lane(.punt, let node, _) = self.state, context.channel.isWritable { node.flush() }
        context.fireChannelWritabilityChanged()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let error = error as? ContractError {
            self.close(with: error)
        } else {
            self.core.logger.info("agent connection failed", metadata: ["error": "\(error)"])
            self.closeQuietly()
        }
    }

    // MARK: Sending

    func send(_ body: Wire.ControllerFrame.OneOf_Body) {
        guard let context = self.context, context.channel.isActive else { return }
        do throws(ContractError) {
            let bytes = try FrameCodec.frame(.with { $0.body = body } as Wire.ControllerFrame)
            context.write(self.wrapOutboundOut(context.channel.allocator.buffer(bytes: bytes)), promise: nil)
        } catch {
            self.core.logger.critical("cannot send a frame", metadata: ["error": "\(error)"])
        }
    }

    func flush() { self.context?.flush() }

    /// Sends the notice and closes once it is out.
    func close(with error: ContractError) {
        guard let context = self.context else { return }
        if case .closed = self.state { return }
        self.core.refusedConnection(error)
        self.detach()
        self.send(.error(.init(error)))
        context.flush()
        context.close(promise: nil)
    }

    func closeQuietly() {
        guard let context = self.context else { return }
        if case .closed = self.state { return }
        self.detach()
        context.close(promise: nil)
    }

    private func detach() {
        let state = self.state
        self.state = .closed
        if case .lane(_, let node, let association) = state { node.closed(self, association) }
    }

    private func noLongerStranger() {
        self.helloDeadline?.cancel()
        self.helloDeadline = nil
        if self.isStranger { self.core.dismissStranger() }
        self.isStranger = false
    }

    // MARK: Receiving

    private func received(_ frame: Wire.AgentFrame) throws(ContractError) {
        guard let body = frame.body else { throw ContractError(.unknownMessage, "no body") }
        if case .error(let notice) = body { return self.core.noticed(notice) }
        switch self.state {
        case .closed: return
        case .greeting: throw ContractError(.unexpected, "a frame before the hello was answered")
        case .connecting:
            if let peer = self.tls?.peer, let judge = peer.judge, !peer.isJudged {
                return self.judge(peer, judge, body)
            }
            try self.receivedFirst(body)
        case .judging: throw ContractError(.unexpected, "a frame before the first was answered")
        case .proving(let hello, let node, let check):
            guard case .proof(let proof) = body else {
                throw ContractError(.unexpected, "a frame before the proof that was asked for")
            }
            check.received(proof) { step in self.goOn(step, hello, node, check) }
        case .enrolling(let conversation):
            guard case .proof(let proof) = body else {
                throw ContractError(.unexpected, "a frame before the proof that was asked for")
            }
            self.expectFrame(within: self.core.configuration.limits.proofTimeoutMs, "no proof")
            conversation.received(proof)
        case .lane(let lane, let node, let association):
            try self.received(body, lane, node, association)
        }
    }

    private func judge(_ peer: PeerVerdict, _ judge: ChainJudge, _ body: Wire.AgentFrame.OneOf_Body) {
        self.state = .judging(body)
        let lane = NIOLoopBound(self, eventLoop: self.core.loop)
        let shown = NIOLoopBound(peer, eventLoop: self.core.loop)
        judge.judge(peer.chain, on: self.core.loop) { refusal in
            Self.judged(lane.value, shown.value, refusal)
        }
    }

    private static func judged(_ lane: LaneHandler, _ peer: PeerVerdict, _ refusal: String?) {
        guard case .judging(let body) = lane.state else { return }
        peer.isJudged = true
        peer.refusal = refusal
        lane.state = .connecting
        do throws(ContractError) { try lane.receivedFirst(body) } catch { lane.close(with: error) }
    }

    private func receivedFirst(_ body: Wire.AgentFrame.OneOf_Body) throws(ContractError) {
        switch body {
        case .hello(let hello): try self.greet(hello)
        case .laneHello(let hello): try self.join(hello)
        case .enrolRequest(let request): try self.enrol(request)
        default: throw ContractError(.unexpected, "the first frame is hello, lane_hello or enrol_request")
        }
    }

    private func received(
        _ body: Wire.AgentFrame.OneOf_Body, _ lane: Wire.Lane, _ node: NodeLink, _ association: Association
    ) throws(ContractError) {
        if lane == .state { association.lastSign = .now() }
        switch (lane, body) {
        case (.state, .heartbeat(let beat)): node.received(beat, association)
        case (.state, .batchResult(let result)): try node.received(result, association)
        case (.state, .auditSummary(let summary)): try node.received(summary, association)
        case (.state, .auditPage(let page)): try node.received(page, association)
        case (.state, .proof(let proof)): try node.received(proof, association)
        case (.punt, .punts(let batch)): try node.received(batch)
        case (.telemetry, .events(let batch)): try node.received(batch, association)
        case (.telemetry, .counters(let report)): node.received(report)
        case (.telemetry, .sessionCounters(let reply)): node.received(reply)
        default: throw ContractError(.unexpected, "this message does not belong on this lane")
        }
    }

    private func greet(_ hello: Wire.Hello) throws(ContractError) {
        guard let node = self.core.nodes[hello.nodeID] else {
            throw ContractError(.unknownNode, "no node \"\(hello.nodeID.prefix(64))\" is configured", path: "2.1")
        }
        guard hello.protocolMinorMin <= Wire.minor, hello.protocolMinorMin <= hello.protocolMinorMax else {
            throw ContractError(.version, "this controller speaks minors 0 to \(Wire.minor)", path: "2.2")
        }
        guard hello.bootID.count == 16 else { throw ContractError(.malformed, "boot_id has 16 bytes", path: "2.4") }
        let requirement = self.core.configuration.identities[node.name] ?? .certificate
        do throws(ContractError) {
            try self.checkCertificate(of: node.name, requirement)
            try Self.checkMinor(hello, requirement)
        } catch {
            node.identityRefused(error)
            throw error
        }
        switch (requirement, self.binding) {
        case (.psk(let key), .some(let binding)):
            let check = IdentityCheck(core: self.core, node: node.name, binding: binding)
            self.goOn(.ask(check.askPSK(key)), hello, node, check)
        case (.tpm(let registers, _), .some(let binding)):
            let check = IdentityCheck(core: self.core, node: node.name, binding: binding)
            self.goOn(.ask(check.askQuote(registers)), hello, node, check)
        case (.certificate, _), (_, nil): self.admit(hello, node, nil)
        }
    }

    private static func checkMinor(
        _ hello: Wire.Hello, _ requirement: IdentityRequirement
    ) throws(ContractError) {
        if case .certificate = requirement { return }
        guard hello.protocolMinorMax >= 1 else {
            throw ContractError(.version, "\(hello.nodeID) must prove itself, which takes minor 1", path: "2.3")
        }
    }

    private func goOn(_ step: IdentityCheck.Step, _ hello: Wire.Hello, _ node: NodeLink, _ check: IdentityCheck) {
        if case .closed = self.state { return }
        switch step {
        case .ask(let challenge):
            self.state = .proving(hello, node, check)
            self.expectFrame(within: self.core.configuration.limits.proofTimeoutMs, "no proof")
            self.send(.challenge(challenge))
            self.flush()
        case .proven: self.admit(hello, node, check)
        case .refused(let error):
            node.identityRefused(error)
            self.close(with: error)
        }
    }

    /// The peer is who it says: gives it a term and an association.
    private func admit(_ hello: Wire.Hello, _ node: NodeLink, _ check: IdentityCheck?) {
        self.state = .greeting
        self.core.raiseTerm(node) { [self] term in
            guard case .greeting = self.state else { return }
            guard let term else {
                return self.close(with: ContractError(.overload, "the store does not answer"))
            }
            self.noLongerStranger()
            let association = node.associate(hello, on: self, term: term)
            association.identity = check
            association.peerKey = self.certificate?.key
            node.identityProven(certificateEnds: self.isCertified ? self.certificate?.notAfter : nil)
            self.state = .lane(.state, node, association)
        }
    }

    // MARK: Certificates

    private func readCertificate() -> PeerCertificate? {
        guard let handler = try? self.context?.pipeline.syncOperations.handler(type: NIOSSLServerHandler.self),
            let der = try? handler.peerCertificate?.toDERBytes()
        else { return nil }
        return PeerCertificate(der: der)
    }

    /// The peer's certificate is one of the authority's.
    private var isCertified: Bool { self.tls != nil && self.tls?.peer.refusal == nil && self.certificate != nil }

    private var binding: ChannelBinding? {
        guard let tls = self.tls, let certificate = self.certificate else { return nil }
        return ChannelBinding(serverCertificate: tls.serverCertificate, agentKey: certificate.key)
    }

    private func checkCertificate(
        of node: NodeName, _ requirement: IdentityRequirement
    ) throws(ContractError) {
        guard let tls = self.tls else {
            if case .certificate = requirement { return }
            throw ContractError(.identity, "\(node) must prove itself, which takes TLS", path: "2.1")
        }
        guard let certificate = self.certificate else {
            throw ContractError(.identity, "the certificate cannot be read", path: "2.1")
        }
        if case .psk = requirement { return }
        if let refusal = tls.peer.refusal { throw ContractError(.identity, refusal, path: "2.1") }
        guard certificate.names(node) else {
            throw ContractError(.identity, "the certificate does not name \(node)", path: "2.1")
        }
        if self.core.configuration.trust?.isRevoked(serial: certificate.serial) ?? false {
            throw ContractError(.notApproved, "the certificate \(certificate.serial) was revoked", path: "2.1")
        }
    }

    // MARK: Enrolment

    private func enrol(_ request: Wire.EnrolRequest) throws(ContractError) {
        guard self.core.configuration.enrols, let trust = self.core.configuration.trust, let binding = self.binding,
            let certificate = self.certificate
        else { throw ContractError(.unexpected, "nodes do not enrol here") }
        guard !(self.isCertified && trust.isRevoked(serial: certificate.serial)) else {
            throw ContractError(.notApproved, "the certificate \(certificate.serial) was revoked")
        }
        let conversation = EnrolmentConversation(
            request, binding: binding, certifiedNames: self.isCertified ? certificate.names : [],
            address: self.context?.remoteAddress?.ipAddress ?? "", on: self, trust: trust)
        self.state = .enrolling(conversation)
        self.expectFrame(within: self.core.configuration.limits.proofTimeoutMs, "no proof")
        conversation.begin()
    }

    private func join(_ hello: Wire.LaneHello) throws(ContractError) {
        guard hello.lane == .punt || hello.lane == .telemetry else {
            throw ContractError(.unexpected, "lane_hello names the punt or the telemetry lane", path: "3.1")
        }
        guard hello.associationID.count == 16 else {
            throw ContractError(.malformed, "association_id has 16 bytes", path: "3.2")
        }
        let found = self.core.nodes.values.first {
            $0.association?.id.elementsEqual(hello.associationID) ?? false
        }
        guard let node = found, let association = node.association, association.bootID.elementsEqual(hello.bootID)
        else { throw ContractError(.unknownAssociation, "no such association", path: "3.2") }
        // Who has proven more than a certificate has proven it for its key.
        if association.identity != nil, self.certificate?.key != association.peerKey {
            throw ContractError(.identity, "not the key that \(node.name) has proven itself with")
        }
        if association.identity == nil { try self.checkCertificate(of: node.name, .certificate) }
        self.noLongerStranger()
        self.state = .lane(hello.lane, node, association)
        node.open(hello.lane, self, association)
    }
}

extension Wire.ErrorNotice {
    init(_ error: ContractError) {
        self.init()
        self.code = error.code
        self.message = error.message
        self.fieldPath = error.fieldPath
    }
}
