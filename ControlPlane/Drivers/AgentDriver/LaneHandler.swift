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

    private enum State {
        case connecting
        /// A hello is being answered: the term is on its way to the disk.
        case greeting
        case lane(Wire.Lane, NodeLink, Association)
        case closed
    }

    private let core: ServerCore
    /// The transport proves who the peer is, so its certificate must name the node.
    private let isTLS: Bool
    private var state = State.connecting
    private var context: ChannelHandlerContext?
    private var helloDeadline: Scheduled<Void>?
    private var isStranger = false

    init(core: ServerCore, isTLS: Bool) {
        self.core = core
        self.isTLS = isTLS
    }

    var isWritable: Bool { self.context?.channel.isWritable ?? false }

    // MARK: Channel events

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        guard self.core.admitStranger() else { return context.close(promise: nil) }
        self.isStranger = true
        let timeout = TimeAmount.milliseconds(self.core.configuration.limits.helloTimeoutMs)
        self.helloDeadline = context.eventLoop.assumeIsolated().scheduleTask(in: timeout) {
            self.close(with: ContractError(.unexpected, "no hello"))
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
            switch body {
            case .hello(let hello): try self.greet(hello)
            case .laneHello(let hello): try self.join(hello)
            default: throw ContractError(.unexpected, "the first frame is hello or lane_hello")
            }
        case .lane(let lane, let node, let association):
            try self.received(body, lane, node, association)
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
        if self.isTLS, !self.certificateNames(node.name) {
            throw ContractError(.identity, "the certificate does not name \(node.name)", path: "2.1")
        }
        guard hello.protocolMinorMin == 0 else {
            throw ContractError(.version, "this controller speaks minor 0", path: "2.2")
        }
        guard hello.bootID.count == 16 else { throw ContractError(.malformed, "boot_id has 16 bytes", path: "2.4") }
        self.state = .greeting
        self.core.raiseTerm(node) { [self] term in
            guard case .greeting = self.state else { return }
            guard let term else {
                return self.close(with: ContractError(.overload, "the store does not answer"))
            }
            self.noLongerStranger()
            let association = node.associate(hello, on: self, term: term)
            self.state = .lane(.state, node, association)
        }
    }

    private func certificateNames(_ node: NodeName) -> Bool {
        guard let handler = try? self.context?.pipeline.syncOperations.handler(type: NIOSSLServerHandler.self),
            let der = try? handler.peerCertificate?.toDERBytes()
        else { return false }
        return CertificateNames(der: der).names(node)
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
        if self.isTLS, !self.certificateNames(node.name) {
            throw ContractError(.identity, "the certificate does not name \(node.name)")
        }
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
