"""Handlers that use the X-Ray SDK."""

import asyncio
import contextvars
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from .process import call, late, of_the_sdk, recorder, release, said


@of_the_sdk
def annotates_the_segment() -> str:
    recorder().current_segment().put_annotation("key", 1)
    recorder().current_segment().put_metadata("key", 1)
    return "done"


@of_the_sdk
def annotates_the_current_subsegment() -> str:
    recorder().current_subsegment().put_annotation("key", 1)
    return "done"


@of_the_sdk
def annotates_through_the_recorder() -> str:
    recorder().put_annotation("key", 1)
    recorder().put_metadata("key", 10**5000)
    return "done"


@of_the_sdk
def opens_a_subsegment() -> Any:
    with recorder().in_subsegment("step") as step:
        step.put_annotation("key", 1)
        recorder().current_subsegment().put_metadata("key", 1)
        return call()


@of_the_sdk
def annotates_what_has_ended() -> str:
    with recorder().in_subsegment("step") as step:
        pass
    step.put_annotation("key", 1)
    return "done"


@of_the_sdk
def raises_in_a_subsegment() -> None:
    with recorder().in_subsegment("step"):
        raise KeyError("mine")


@of_the_sdk
def is_captured() -> Any:
    return recorder().capture("captured")(call)()


@of_the_sdk
def opens_a_segment_of_its_own() -> Any:
    recorder().begin_segment("mine", sampling=1)
    try:
        with recorder().in_subsegment("step"):
            return call()
    finally:
        recorder().end_segment()


@of_the_sdk
def works_within_a_segment_of_its_own() -> Any:
    with recorder().in_segment("mine", sampling=1) as segment:
        segment.put_annotation("key", 1)
        return call()


@of_the_sdk
def sets_an_entity_of_its_own() -> Any:
    from aws_xray_sdk.core.models.segment import Segment

    recorder().set_trace_entity(Segment("mine"))
    try:
        with recorder().in_subsegment("step"):
            first = call()
        return first, call()
    finally:
        recorder().clear_trace_entities()


@of_the_sdk
def ends_what_is_not_open() -> str:
    recorder().end_subsegment()
    recorder().end_segment()
    return "done"


@of_the_sdk
def switches_the_sdk_off() -> Any:
    from aws_xray_sdk import global_sdk_config

    global_sdk_config.set_sdk_enabled(False)
    try:
        recorder().current_segment().put_annotation("key", 1)
        with recorder().in_subsegment("step") as step:
            step.put_annotation("key", 1)
        return call()
    finally:
        global_sdk_config.set_sdk_enabled(True)


@of_the_sdk
def hands_a_subsegment_to_a_thread() -> Any:
    with recorder().in_subsegment("outer") as outer:

        def work() -> Any:
            if outer is not None:
                recorder().set_trace_entity(outer)
            with recorder().in_subsegment("inner"):
                return call()

        with ThreadPoolExecutor(1) as pool:
            return pool.submit(work).result()


@of_the_sdk
async def has_a_task_that_outlasts_its_subsegment() -> Any:
    ended = asyncio.Event()

    async def work() -> Any:
        await ended.wait()
        recorder().put_annotation("key", 1)
        with recorder().in_subsegment("late"):
            return call()

    with recorder().in_subsegment("outer"):
        task = asyncio.create_task(work())
        await asyncio.sleep(0)
    ended.set()
    return await task


@of_the_sdk
def leaves_a_subsegment_open_behind() -> str:
    context = contextvars.copy_context()

    def work() -> None:
        try:
            with recorder().in_subsegment("late") as step:
                began.set()
                release.wait()
                if step is not None:
                    step.put_annotation("key", 1)
                call()
            said.append("ended")
        except Exception as error:  # noqa: BLE001 - it is the outcome
            said.append(type(error).__name__)

    began = threading.Event()
    late.append(threading.Thread(target=context.run, args=(work,)))
    late[-1].start()
    return "left"
