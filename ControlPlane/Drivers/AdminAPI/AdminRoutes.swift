// SPDX-License-Identifier: Apache-2.0
// The routes of the operator API: checks what came in, asks the backend, answers JSON.

import AdminContract
import Foundation
import Hummingbird

/// Builds the routers.
enum AdminRoutes {
    /// `/v1/...`, for the Unix socket.
    static func operators(_ backend: any AdminBackend) -> Router<BasicRequestContext> {
        let router = Router()
        let v1 = router.group("v1")
        v1.get("nodes") { _, _ in try await json(backend.nodes()) }
        v1.get("ports") { _, _ in try await json(backend.ports()) }
        v1.get("pools") { _, _ in try await json(backend.pools()) }
        v1.get("punts") { _, _ in try await json(backend.punts()) }
        v1.get("drops") { _, _ in try await json(backend.drops()) }
        v1.get("audit") { _, _ in try await json(backend.audits()) }
        v1.post("audit") { _, _ in
            let count = try await backend.audit()
            return try json(ActionView(message: "audit of \(count) nodes begun", count: count))
        }
        v1.get("sessions") { request, _ in try await json(backend.sessions(query(request))) }
        v1.get("sessions/:id") { _, context in
            let id = try context.parameters.require("id")
            guard let session = try await backend.session(id) else {
                throw HTTPError(.notFound, message: "there is no session \(id)")
            }
            return try json(session)
        }
        v1.delete("sessions/:id") { _, context in
            let id = try context.parameters.require("id")
            guard try await backend.clearSession(id) else {
                throw HTTPError(.notFound, message: "there is no live session \(id)")
            }
            return try json(ActionView(message: "session \(id) is being removed", count: 1))
        }
        v1.get("nat/pools") { _, _ in try await json(backend.natPools()) }
        v1.get("nat/records") { _, _ in try await json(backend.natRecordOutputs()) }
        v1.get("nat/lookup") { request, _ in try await json(backend.natHolders(natQuery(request))) }
        self.addForwards(to: v1, backend)
        self.addSubscribers(to: v1, backend)
        self.addEnrolments(to: v1, backend)
        v1.get("history") { request, _ in
            let before = try number(request, "before", 0...Int64.max)
            let limit = try number(request, "limit", 1...1_000)
            let user = request.uri.queryParameters["user"].map(String.init)
            return try await json(backend.history(beforeMs: before, user: user, limit: Int(limit ?? 100)))
        }
        v1.get("aaa") { _, _ in try await json(backend.aaa()) }
        v1.get("dhcp-servers") { _, _ in try await json(backend.dhcpServers()) }
        v1.get("plans") { _, _ in try await json(backend.plans()) }
        v1.delete("quarantine/:node") { _, context in
            let node = try context.parameters.require("node")
            guard let count = try await backend.clearQuarantine(node: node) else {
                throw HTTPError(.notFound, message: "there is no node \(node)")
            }
            return try json(
                ActionView(message: "\(count) unknown sessions are being removed from \(node)", count: count))
        }
        return router
    }

    /// `/metrics`, `/healthz`, `/readyz`, for TCP.
    static func monitoring(_ backend: any AdminBackend) -> Router<BasicRequestContext> {
        let router = Router()
        router.get("healthz") { _, _ in "ok\n" }
        router.get("readyz") { _, _ in
            let obstacles = await backend.obstacles()
            if obstacles.isEmpty { return text(.ok, "ready\n") }
            return text(.serviceUnavailable, obstacles.joined(separator: "\n") + "\n")
        }
        router.get("metrics") { _, _ in
            var response = text(.ok, await backend.metrics())
            response.headers[.contentType] = "text/plain; version=0.0.4; charset=utf-8"
            return response
        }
        return router
    }

    private static func text(_ status: HTTPResponse.Status, _ text: String) -> Response {
        Response(
            status: status, headers: [.contentType: "text/plain; charset=utf-8"],
            body: .init(byteBuffer: ByteBuffer(string: text)))
    }

    static func json(_ value: some Encodable) throws -> Response {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        return Response(
            status: .ok, headers: [.contentType: "application/json"],
            body: .init(byteBuffer: ByteBuffer(data: try encoder.encode(value))))
    }

    private static func query(_ request: Request) throws -> SessionQuery {
        let known: Set<Substring> = ["after", "limit", "node", "pool", "mac", "address", "user"]
        if let unknown = request.uri.queryParameters.first(where: { !known.contains($0.key) }) {
            throw HTTPError(
                .badRequest,
                message: "unknown parameter \(unknown.key): expected after, limit, node, pool, mac, address or user")
        }
        var query = SessionQuery()
        query.after = request.uri.queryParameters["after"].map(String.init)
        query.node = request.uri.queryParameters["node"].map(String.init)
        query.pool = request.uri.queryParameters["pool"].map(String.init)
        query.mac = request.uri.queryParameters["mac"].map(String.init)
        query.address = request.uri.queryParameters["address"].map(String.init)
        query.user = request.uri.queryParameters["user"].map(String.init)
        let limits = SessionQuery.limits
        if let limit = try number(request, "limit", Int64(limits.lowerBound)...Int64(limits.upperBound)) {
            query.limit = Int(limit)
        }
        return query
    }

    private static func natQuery(_ request: Request) throws -> NATQuery {
        let known: Set<Substring> = ["address", "port", "at", "vrf"]
        if let unknown = request.uri.queryParameters.first(where: { !known.contains($0.key) }) {
            throw HTTPError(
                .badRequest, message: "unknown parameter \(unknown.key): expected address, port, at or vrf")
        }
        guard let address = request.uri.queryParameters["address"].map(String.init) else {
            throw HTTPError(.badRequest, message: "address is missing: expected the public IPv4 address")
        }
        guard let port = try number(request, "port", 0...65_535) else {
            throw HTTPError(.badRequest, message: "port is missing: expected a number from 0 to 65535")
        }
        let vrf = try number(request, "vrf", 0...Int64(UInt32.max)) ?? 0
        return NATQuery(
            vrf: UInt32(vrf), address: address, port: UInt16(port), atMs: try number(request, "at", 0...Int64.max))
    }

    static func number(_ request: Request, _ name: String, _ range: ClosedRange<Int64>) throws -> Int64? {
        guard let text = request.uri.queryParameters[Substring(name)] else { return nil }
        guard let value = Int64(text), range.contains(value) else {
            throw HTTPError(
                .badRequest, message: "\(name): expected a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }
}
