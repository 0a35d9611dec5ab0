// SPDX-License-Identifier: Apache-2.0
// One HTTP request to the controller over its Unix socket.

import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix

/// Why a request failed, in words for the operator.
enum AdminClientError: Error, CustomStringConvertible {
    case unreachable(String)
    case refused(status: Int, message: String)

    var description: String {
        switch self {
        case .unreachable(let words): return words
        case .refused(_, let message): return message
        }
    }
}

struct AdminClient {
    /// Answers larger than this are not read.
    static let responseLimit = 64 << 20
    static let timeout = TimeAmount.seconds(30)

    let socket: String

    func send(_ method: HTTPMethod, _ path: String, body: Data? = nil) async throws(AdminClientError) -> Data {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let answer: EventLoopPromise<HTTPAnswer> = loop.makePromise()
        let channel: any Channel
        do {
            channel = try await ClientBootstrap(group: loop)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHTTPClientHandlers()
                        try channel.pipeline.syncOperations.addHandler(AnswerHandler(answer: answer))
                    }
                }
                .connect(unixDomainSocketPath: self.socket).get()
        } catch {
            answer.fail(error)
            throw .unreachable(self.explain(error))
        }
        var head = HTTPRequestHead(
            version: .http1_1, method: method, uri: path, headers: ["Host": "bng", "Connection": "close"])
        if let body {
            head.headers.add(name: "Content-Type", value: "application/json")
            head.headers.add(name: "Content-Length", value: "\(body.count)")
        }
        let deadline = loop.scheduleTask(in: Self.timeout) {
            answer.fail(AdminClientError.unreachable("no answer within 30 seconds"))
        }
        do {
            channel.write(HTTPClientRequestPart.head(head), promise: nil)
            if let body {
                channel.write(HTTPClientRequestPart.body(.byteBuffer(ByteBuffer(bytes: body))), promise: nil)
            }
            channel.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
            let result = try await answer.futureResult.get()
            deadline.cancel()
            channel.close(promise: nil)
            guard (200..<300).contains(result.status) else {
                throw AdminClientError.refused(status: result.status, message: result.errorMessage)
            }
            return result.body
        } catch let error as AdminClientError {
            channel.close(promise: nil)
            throw error
        } catch {
            channel.close(promise: nil)
            throw .unreachable("\(self.socket): \(error)")
        }
    }

    private func explain(_ error: any Error) -> String {
        guard let error = error as? IOError else { return "\(self.socket): \(error)" }
        switch error.errnoCode {
        case ENOENT: return "\(self.socket): no such socket. Is bng-controller running, and is this its admin.socket?"
        case ECONNREFUSED: return "\(self.socket): nobody listens. bng-controller is not running"
        case EACCES: return "\(self.socket): permission denied. Be root, or in the group named by admin.group"
        default: return "\(self.socket): \(error)"
        }
    }
}

private struct HTTPAnswer: Sendable {
    var status: Int
    var body: Data

    /// `{"error":{"message":...}}`, or the status.
    var errorMessage: String {
        struct Wrapper: Decodable {
            struct Inner: Decodable { var message: String? }
            var error: Inner
        }
        let message = (try? JSONDecoder().decode(Wrapper.self, from: self.body))?.error.message
        return message ?? "the controller answered \(self.status)"
    }
}

private final class AnswerHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart

    private let answer: EventLoopPromise<HTTPAnswer>
    private var status = 0
    private var body = Data()

    init(answer: EventLoopPromise<HTTPAnswer>) {
        self.answer = answer
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch self.unwrapInboundIn(data) {
        case .head(let head): self.status = Int(head.status.code)
        case .body(let part):
            self.body.append(contentsOf: part.readableBytesView)
            if self.body.count > AdminClient.responseLimit {
                self.answer.fail(AdminClientError.unreachable("the answer is too large"))
                context.close(promise: nil)
            }
        case .end: self.answer.succeed(HTTPAnswer(status: self.status, body: self.body))
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.answer.fail(
            AdminClientError.unreachable("the controller closed the connection: are you admitted to its socket?"))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.answer.fail(error)
        context.close(promise: nil)
    }
}
