// SPDX-License-Identifier: Apache-2.0
// Who may use the operator socket.

import Testing

@testable import AdminAPI

@Suite struct AdmittedUsersTests {
    @Test func `a named user is admitted, another only by group`() {
        let admitted = AdmittedUsers(userIDs: [0, 1_000], groupID: 4_242)
        #expect(admitted.admits(user: 0, group: 0))
        #expect(admitted.admits(user: 1_000, group: 5))
        #expect(admitted.admits(user: 54_321, group: 4_242))
        #expect(!admitted.admits(user: 54_321, group: 5))
        #expect(!AdmittedUsers(userIDs: [0]).admits(user: 54_321, group: 4_242))
    }
}
