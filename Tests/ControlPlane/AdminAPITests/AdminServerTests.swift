// SPDX-License-Identifier: Apache-2.0
// The operator API over its real sockets, with curl as the client.

import AdminContract
import Foundation
import Hummingbird
import Logging
import NIOPosix
import TestVectors
import Testing

@testable import AdminAPI

private struct FixedBackend: AdminBackend {
    static let session = SessionView(
        id: "1-42", node: "edge1", port: "access0", phase: "active", accessDomain: "metro", vlan: "100.7",
        mac: "02:00:00:00:00:01",
        relay: "", vrf: 0, pool: "main", address: "10.0.0.9", hostName: "\"><script>", clientID: "", option82: "",
        generation: 1, startedMs: 1, leaseExpiresMs: 2, endedMs: 0, cause: "", service: .init())
    static let alice = SubscriberView(
        name: "eth 0/1:ä", plan: "gold", address: "", pool: "", routes: [], suspended: false, note: "",
        password: "scrypt", file: "")
    var ready = true

    func nodes() async throws -> [NodeView] { [] }
    func ports() async throws -> [PortView] { [] }
    func sessions(_ query: SessionQuery) async throws -> SessionPage {
        SessionPage(
            sessions: query.mac == nil || query.mac == Self.session.mac ? [Self.session] : [], next: query.after)
    }
    func session(_ id: String) async throws -> SessionView? { id == "1-42" ? Self.session : nil }
    func pools() async throws -> [PoolView] { [] }
    func natPools() async throws -> [NATPoolView] { [] }
    func natHolders(_ query: NATQuery) async throws -> [NATHolderView] {
        [
            NATHolderView(
                vrf: query.vrf, address: query.address, firstPort: query.port, lastPort: query.port,
                fromMs: query.atMs ?? 0, toMs: 0, session: "1-42", node: "edge1", line: "", user: "", inside: "",
                pool: "p")
        ]
    }
    func punts() async throws -> [CounterView] { [] }
    func drops() async throws -> [CounterView] { [] }
    func audits() async throws -> [AuditView] { [] }
    func history(beforeMs: Int64?, user: String?, limit: Int) async throws -> [SessionView] { [] }
    func aaa() async throws -> AAAView {
        AAAView(chain: ["local"], servers: [], spool: nil, dynamicAuthorization: [:])
    }
    func dhcpServers() async throws -> [DHCPServersView] { [] }
    func natRecordOutputs() async throws -> [NATRecordOutputView] { [] }
    func plans() async throws -> [PlanView] { [] }
    func forwards(of id: String) async throws -> [NATForwardView]? { id == "1-42" ? [] : nil }
    func forward(_ text: String, to id: String) async throws -> Bool {
        guard text == "tcp:5000:80" else { throw AdminRefusal.conflict("port 5000 is forwarded already") }
        return id == "1-42"
    }
    func unforward(_ text: String, of id: String) async throws -> Bool { id == "1-42" }
    func clearSession(_ id: String) async throws -> Bool { id == "1-42" }
    func clearQuarantine(node: String) async throws -> Int? { node == "edge1" ? 3 : nil }
    func audit() async throws -> Int { 1 }
    func subscribers(after: String?, limit: Int) async throws -> SubscriberPage {
        SubscriberPage(subscribers: Array([Self.alice].prefix(limit)), next: after)
    }
    func subscriber(_ name: String) async throws -> SubscriberView? { name == Self.alice.name ? Self.alice : nil }
    func addSubscriber(_ name: String, _ settings: SubscriberSettings) async throws -> SubscriberView {
        if name == Self.alice.name { throw AdminRefusal.conflict("subscriber \(name) exists already") }
        var view = Self.alice
        (view.name, view.plan, view.suspended) = (name, settings.plan ?? "", settings.suspended ?? false)
        return view
    }
    func changeSubscriber(_ name: String, _ settings: SubscriberSettings) async throws -> SubscriberView {
        guard name == Self.alice.name else { throw AdminRefusal.unknownSubscriber(name) }
        if settings.plan == "none" { throw AdminRefusal.invalid("no plan is named none") }
        return Self.alice
    }
    func removeSubscriber(_ name: String) async throws {
        guard name == Self.alice.name else { throw AdminRefusal.unknownSubscriber(name) }
    }
    func passwordRecord(_ request: PasswordRequest) async throws -> PasswordRecordView {
        PasswordRecordView(record: "\(request.name) \(request.sealed)")
    }
    func enrolments() async throws -> [EnrolmentView] { [] }
    func decide(_ decision: EnrolmentDecision, on id: String) async throws -> ActionView {
        guard id == "abcd" else { throw AdminRefusal.conflict("no node with \"\(id)\" has asked") }
        return ActionView(message: "\(decision)", count: 1)
    }
    func obstacles() async -> [String] { self.ready ? [] : ["the store is being loaded"] }
    func metrics() async -> String { "x 1\n" }
}

private let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// Status and body of one request.
private func curl(_ arguments: String...) async throws -> (status: Int, body: String) {
    let result = try await runChild("/usr/bin/curl", ["-s", "-m", "20", "-w", "\n%{http_code}"] + arguments)
    let lines = result.output.split(separator: "\n", omittingEmptySubsequences: false)
    return (lines.last.flatMap { Int($0) } ?? 0, lines.dropLast().joined(separator: "\n"))
}

/// Runs `body` while the operator socket is open.
private func withSocket(
    admitted: AdmittedUsers = AdmittedUsers(userIDs: [getuid()]),
    _ body: @escaping @Sendable (String) async throws -> Void
) async throws {
    let path = FileManager.default.temporaryDirectory.appending(path: "bng-admin-\(UUID().uuidString.prefix(8))").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    let application = AdminServer.operatorSocket(
        path: path, admitted: admitted, backend: FixedBackend(), loops: MultiThreadedEventLoopGroup.singleton,
        logger: quiet)
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await application.run() }
        let deadline = ContinuousClock.now + .seconds(30)
        // The mode is set once the server listens.
        while (try? FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int) != 0o600,
            ContinuousClock.now < deadline
        { try await Task.sleep(for: .milliseconds(5)) }
        try await body(path)
        group.cancelAll()
    }
}

@Suite struct AdminServerTests {
    @Test func `the socket is for its owner, and serves JSON`() async throws {
        try await withSocket { path in
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            #expect(mode == 0o600)
            let answer = try await curl("--unix-socket", path, "http://bng/v1/sessions/1-42")
            #expect(answer.status == 200)
            let view = try JSONDecoder().decode(SessionView.self, from: Data(answer.body.utf8))
            #expect(view == FixedBackend.session)
            let page = try await curl(
                "--unix-socket", path, "http://bng/v1/sessions?mac=02%3A00%3A00%3A00%3A00%3A02&after=1-7")
            let decoded = try JSONDecoder().decode(SessionPage.self, from: Data(page.body.utf8))
            #expect(decoded == SessionPage(sessions: [], next: "1-7"))
        }
    }

    @Test func `what does not exist is 404 and what is wrong is 400, both with words`() async throws {
        try await withSocket { path in
            let missing = try await curl("--unix-socket", path, "http://bng/v1/sessions/1-43")
            #expect(missing.status == 404 && missing.body.contains("there is no session 1-43"))
            let wrong = try await curl("--unix-socket", path, "http://bng/v1/sessions?limit=5000")
            #expect(wrong.status == 400 && wrong.body.contains("from 1 to 1000"))
            let unknown = try await curl("--unix-socket", path, "http://bng/v1/sessions?colour=red")
            #expect(unknown.status == 400 && unknown.body.contains("unknown parameter colour"))
            let gone = try await curl("--unix-socket", path, "-X", "DELETE", "http://bng/v1/sessions/9-9")
            #expect(gone.status == 404)
            let cleared = try await curl("--unix-socket", path, "-X", "DELETE", "http://bng/v1/quarantine/edge1")
            #expect(cleared.status == 200)
            let metrics = try await curl("--unix-socket", path, "http://bng/metrics")
            #expect(metrics.status == 404)
        }
    }

    @Test func `a subscriber's name may hold a slash, and is changed by JSON with known keys only`() async throws {
        try await withSocket { path in
            func send(_ method: String, _ url: String, _ body: String) async throws -> (status: Int, body: String) {
                try await curl("--unix-socket", path, "-X", method, "-d", body, "http://bng/v1/\(url)")
            }
            let alice = "subscribers/eth%200%2F1%3A%C3%A4"
            let shown = try await curl("--unix-socket", path, "http://bng/v1/\(alice)")
            #expect(try JSONDecoder().decode(SubscriberView.self, from: Data(shown.body.utf8)) == FixedBackend.alice)
            let added = try await send("PUT", "subscribers/bob%2Fx", #"{"plan":"gold","suspended":true}"#)
            let bob = try JSONDecoder().decode(SubscriberView.self, from: Data(added.body.utf8))
            #expect(bob.name == "bob/x" && bob.plan == "gold" && bob.suspended)
            #expect(try await send("PUT", alice, "{}").status == 409)
            #expect(try await send("PATCH", alice, "{}").status == 200)
            let refused = try await send("PATCH", alice, #"{"plan":"none"}"#)
            #expect(refused.status == 400 && refused.body.contains("no plan is named none"))
            let unknown = try await send("PATCH", alice, #"{"colour":"red"}"#)
            #expect(unknown.status == 400 && unknown.body.contains("unknown key colour: expected plan, address"))
            let mistyped = try await send("PATCH", alice, #"{"password":["hunter2"]}"#)
            #expect(mistyped.status == 400 && mistyped.body.contains("password"))
            #expect(!mistyped.body.contains("hunter2"))
            for body in ["", "[]", "{", "\"x\""] {
                #expect(try await send("PUT", alice, body).status == 400, "\(body)")
            }
            #expect(try await send("DELETE", "subscribers/nobody", "").status == 404)
            let deleted = try await send("DELETE", alice, "")
            #expect(deleted.status == 200 && deleted.body.contains("deleted"))
            let hashed = try await send("POST", "password-records", #"{"name":"x","password":"y","sealed":true}"#)
            #expect(hashed.body.contains("x true"))
            #expect(try await send("POST", "password-records", #"{"name":"x","password":"y"}"#).status == 400)
            let page = try await curl("--unix-socket", path, "http://bng/v1/subscribers?limit=1&after=a%26b")
            #expect(try JSONDecoder().decode(SubscriberPage.self, from: Data(page.body.utf8)).next == "a&b")
        }
    }

    @Test func `a user who is not admitted gets no answer`() async throws {
        try await withSocket(admitted: AdmittedUsers(userIDs: [getuid() + 1])) { path in
            let answer = try await curl("--unix-socket", path, "http://bng/v1/nodes")
            #expect(answer.status == 0)
        }
    }
}
